"""Two processes against one, for every method of the shipped configs; processes that die."""

import json
import os
import signal
from pathlib import Path

import _jsonnet
import allennlp.commands.train as train_command
import killing
import pytest
import torch
from allennlp.training import TrainerCallback

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
RANDOM = ("network-draws", '"random"', "gibbs-with-gradients", "random-picking", "truth_rate")


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


def train(config, folder):
    """Trains in a process; gives whether it went well, and what it said."""
    status, said = killing.forked(
        lambda: train_command.train_model(train_command.Params(config), str(folder)),
        folder,
        timeout=120,
    )
    return status == 0, said


def two(config):
    return {**config, "distributed": {"cuda_devices": [-1, -1]}}


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_two_processes_give_the_metrics_of_one(path, tmp_path):
    config = small(path, tmp_path / "data")
    is_random = any(word in json.dumps(config) for word in RANDOM)
    found = {}
    for name, given in (("one", config), ("two", two(config))):
        went_well, said = train(given, tmp_path / name)
        assert went_well, said[-3000:]
        found[name] = killing.outcome(tmp_path / name)["metrics"]["metrics.json"]
    assert found["one"].keys() == found["two"].keys()
    for key, value in found["two"].items():
        assert value == value and abs(value) < float("inf"), key
        if not is_random:
            assert value == pytest.approx(found["one"][key], rel=1e-3, abs=1e-4), key


def test_methods_without_draws_are_compared():
    compared = [
        path
        for path in METHODS
        if not any(word in _jsonnet.evaluate_file(str(path)) for word in RANDOM)
    ]
    assert len(compared) > len(METHODS) / 3
    assert {path.parts[-3] for path in compared} == set(WRITE)


@pytest.mark.parametrize("rows", [5, 7])
@pytest.mark.parametrize("task", ["multi_label/digits", "tagging/twpos"])
def test_uneven_last_batches_do_not_hang(task, rows, tmp_path):
    config = small(FOLDER / task / "inference_network.jsonnet", tmp_path / "data", rows)
    for loader in ("data_loader", "validation_data_loader"):
        config[loader]["batch_size"] = 2
    went_well, said = train(two(config), tmp_path / "run")
    assert went_well, said[-3000:]


@TrainerCallback.register("dying-worker")
class DyingWorker(TrainerCallback):
    """Ends the second worker in the second epoch, by an error or at once."""

    def __init__(self, serialization_dir, how):
        super().__init__(serialization_dir)
        self.how = how

    def on_batch(self, trainer, *arguments, is_primary=True, **settings):
        if not is_primary and trainer._epochs_completed == 1:
            if self.how == "error":
                raise ValueError("This worker has had enough.")
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "message"), [("error", "This worker has had enough"), ("kill", "signal SIGKILL")]
)
def test_a_worker_that_dies_ends_the_run_with_its_error(how, message, tmp_path):
    config = small(FOLDER / "multi_label/digits/inference_network.jsonnet", tmp_path / "data")
    config["trainer"]["callbacks"] = [{"type": "dying-worker", "how": how}]
    went_well, said = train(two(config), tmp_path / "run")
    assert not went_well and message in said
    torch.load(tmp_path / "run" / "best.th")  # of the first epoch
