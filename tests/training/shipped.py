"""The shipped configs on small data, for the tests that train all of them."""

import json
from pathlib import Path

import _jsonnet

from structured_energy.testing import write_arff, write_conllu, write_images

FOLDER = Path(__file__).resolve().parents[2] / "training_configs"
# One data set of each task; the methods of a task are the same on all.
METHODS = [
    path
    for folder in ("multi_label/digits", "tagging/twpos", "segmentation/weizmann_horses")
    for path in sorted((FOLDER / folder).glob("*.jsonnet"))
]
WRITE = {"multi_label": write_arff, "tagging": write_conllu, "segmentation": write_images}
# Draws of two processes are not those of one.
RANDOM = (
    "network-draws",
    '"random"',
    "perturbed-truth",
    "gibbs-with-gradients",
    "random-picking",
    "truth_rate",
)


def name_of(path):
    return "/".join((path.parts[-3], path.stem))


def without(config, key, value):
    """The config with another value of a key, wherever it is."""
    if isinstance(config, dict):
        return {
            name: value if name == key else without(v, key, value) for name, v in config.items()
        }
    return [without(item, key, value) for item in config] if isinstance(config, list) else config


def small(path, folder, rows=20):
    """The config on small data, one batch an epoch, without dropout or augmentation."""
    config = without(json.loads(_jsonnet.evaluate_file(str(path))), "dropout", 0.0)
    task = path.parts[-3]
    for part, count in (("train", rows), ("validation", 8), ("test", 6)):
        config[f"{part}_data_path"] = str(WRITE[task](folder, part, count, seed=len(part)))
    if task == "multi_label":
        config["dataset_reader"] = {"type": "arff"}
    if task == "tagging":
        config["dataset_reader"].update(token_column=1, tag_column=3)
    if task == "segmentation":
        config["model"]["inference"]["size"] = [8, 9]
        for key in ("augmentations", "batches_per_epoch"):
            config["data_loader"].pop(key)
    for loader in ("data_loader", "validation_data_loader"):
        config.setdefault(loader, dict(config["data_loader"]))
        config[loader].pop("batch_sampler", None)
        config[loader].update(batch_size=40, shuffle=False)
    config["trainer"].update(num_epochs=2, callbacks=[])
    for settings in config["trainer"].get("networks", {}).values():
        settings.update({key: 1 for key in ("start_epoch", "stop_epoch") if key in settings})
    return config


def is_random(config):
    """Whether a sampler draws."""
    return any(word in json.dumps(config) for word in RANDOM)
