"""The shipped configs, for the tests that build or train them on small data."""

import copy
import functools
import json
import re
from pathlib import Path

from allennlp.training.metrics import Metric
from component_names import names_of
from selection import by_turns, covering
from tiny_transformer import write_transformer

from structured_energy.configs import evaluate_snippet
from structured_energy.losses import Loss
from structured_energy.oracle_values import OracleValue
from structured_energy.samplers import Sampler
from structured_energy.testing import (
    write_arff,
    write_chunks,
    write_conllu,
    write_hierarchy,
    write_images,
    write_texts,
)
from structured_energy.testing.files import TEXT_WORDS

FOLDER = Path(__file__).resolve().parents[1] / "training_configs"
CONFIGS = sorted(FOLDER.glob("*/*/*.jsonnet"))
# One data set of each task; a task has the same methods on all of them.
METHODS = [
    path
    for folder in (
        "multi_label/digits",
        "tagging/twpos",
        "segmentation/weizmann_horses",
        "parsing/ud_english_ewt",
    )
    for path in sorted((FOLDER / folder).glob("*.jsonnet"))
]
# The methods of texts and of taxonomies are those of feature vectors; these have all that differs.
METHODS += [
    FOLDER / folder / f"{method}.jsonnet"
    for folder, methods in {
        "multi_label_text/goemotions": ("cross_entropy", "cross_fitted", "dvn", "seal_dynamic_nce"),
        "hierarchical/spo_fun": (
            "cross_entropy",
            "cross_entropy_max",
            "crf",
            "dvn",
            "inference_network",
            "seal_dynamic_nce",
        ),
    }.items()
    for method in methods
]
# On other data sets a method differs in numbers, and in how data are read: one method of each.
SELECTED = sorted({*METHODS, *by_turns(CONFIGS, row=lambda path: path.parent)})
WRITE = {
    "multi_label": write_arff,
    "hierarchical": write_hierarchy,
    "multi_label_text": write_texts,
    "tagging": write_conllu,
    "parsing": write_conllu,
    "segmentation": write_images,
}
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
    return "/".join(path.parts[-3:]).removesuffix(".jsonnet")


@functools.cache
def _evaluated(*paths):
    """Return configs by path, of one evaluation, which reads the library once."""
    configs = ", ".join(f"(import {json.dumps(str(path))})" for path in paths)
    return dict(zip(paths, json.loads(evaluate_snippet("configs", f"[{configs}]")), strict=True))


def config_of(path):
    """Return a shipped config."""
    beside = [each for each in SELECTED if each.parent == path.parent]
    return copy.deepcopy(_evaluated(*(beside if path in beside else [path]))[path])


def components_of(path):
    """Return the registered names in the model of a config that work across processes."""
    bases = (Loss, Metric, OracleValue, Sampler)
    known = {name for base in bases for name in names_of(base)}
    return known & set(re.findall(r'"([^"]*)"', json.dumps(config_of(path)["model"])))


@functools.cache
def covering_methods():
    """Return methods that have together every loss, sampler, oracle value and metric of the shipped
    ones, and one of each task that draws nothing."""

    def features(path):
        task = set() if is_random(config_of(path)) else {f"task {path.parts[-3]}"}
        return components_of(path) | task

    return covering(METHODS, features)


def small(path, folder, rows=20):
    """Return a config with small data and two epochs, in the second of which later phases begin; of
    ranges of epochs, each phase becomes one epoch."""
    config = config_of(path)
    task, data_set = path.parts[-3:-1]
    write = write_chunks if data_set.startswith("conll2000") else WRITE[task]
    for part, count in (("train", rows), ("validation", 8), ("test", 6)):
        config[f"{part}_data_path"] = str(write(folder, part, count, seed=len(part)))
    if task == "multi_label":
        config["dataset_reader"] = {"type": "arff"}
    elif task == "multi_label_text":
        config = with_tiny_transformer(config, folder)
    elif task == "hierarchical":  # terms that the small data have not
        for metric in config["model"]["metrics"]:
            if isinstance(metric, dict):
                metric.pop("excluded", None)
    elif task == "segmentation":  # windows of smaller images
        config["data_loader"]["augmentations"][0]["size"] = [8, 9]
        config["data_loader"]["batches_per_epoch"] = 2
        config["model"]["inference"]["size"] = [8, 9]
    elif task == "parsing":
        for network in ("task_network", "score_network"):
            if network in config["model"]:
                config["model"][network]["projection"].update(arc_size=8, relation_size=6)
    elif data_set == "twpos":  # the columns of CoNLL-U
        config["dataset_reader"].update(token_column=1, tag_column=3)
    if data_set.endswith("_minilm"):
        config = with_tiny_words(config, folder)
    config["trainer"]["num_epochs"] = 2
    for settings in config["trainer"].get("networks", {}).values():
        settings.update({key: 1 for key in ("start_epoch", "stop_epoch") if key in settings})
    return with_short_phases(config)


def with_tiny_transformer(config, folder):
    """Return the config of texts with a tiny transformer, and with the labels of the small data."""
    config["dataset_reader"]["labels_file"] = str(folder / "labels.txt")
    config = replaced(
        config, "model_name", write_transformer(folder / "tiny", TEXT_WORDS, spread=0.5)
    )
    return replaced(replaced(config, "store", "memory"), "layers", [1, 2])


def with_tiny_words(config, folder):
    """Return the config of sentences with a tiny transformer, whose vectors are shorter."""
    words = ["the", "red", "dog", "she", "was", "seen", "runs", "."]
    config = replaced(config, "model_name", write_transformer(folder / "tiny", words, spread=0.5))
    config = replaced(replaced(config, "store", "memory"), "layers", [1, 2])
    return replaced(config, "input_size", 2 * 16)


def with_short_phases(config):
    """Return the config with ranges of epochs, and the weights that change with them, such that
    each phase is one epoch long."""
    networks = config["trainer"].get("networks", {}).values()
    ranges = [pair for settings in networks for pair in settings.get("epochs", [])]
    edges = sorted({edge for pair in ranges for edge in pair if edge is not None})
    if not edges:
        return config
    short = {edge: place for place, edge in enumerate(edges)}
    for settings in networks:
        if "epochs" in settings:
            settings["epochs"] = [[short.get(edge) for edge in pair] for pair in settings["epochs"]]
    config["trainer"]["num_epochs"] = len(edges)
    return shortened(config, short)


def shortened(config, short):
    """Return the config with other boundaries of the weights that change by epochs."""
    if isinstance(config, list):
        return [shortened(item, short) for item in config]
    if not isinstance(config, dict):
        return config
    result = {key: shortened(below, short) for key, below in config.items()}
    if result.get("unit") == "epochs" and "boundaries" in result:
        result["boundaries"] = [short[epoch] for epoch in result["boundaries"]]
    return result


def small_and_plain(path, folder, rows=20):
    """Return a small config with one batch an epoch, and without dropout, augmentations, shuffling
    and callbacks, so that two ways to train it can be compared."""
    config = replaced(small(path, folder, rows), "dropout", 0.0)
    for key in ("augmentations", "batches_per_epoch"):
        config["data_loader"].pop(key, None)
    for loader in ("data_loader", "validation_data_loader"):
        config.setdefault(loader, dict(config["data_loader"]))
        config[loader].pop("batch_sampler", None)
        config[loader].update(batch_size=40, shuffle=False)
    config["trainer"]["callbacks"] = []
    return config


def replaced(config, key, value):
    """Return the config with another value of a key at every place that has the key."""
    if isinstance(config, dict):
        return {
            name: value if name == key else replaced(below, key, value)
            for name, below in config.items()
        }
    return [replaced(item, key, value) for item in config] if isinstance(config, list) else config


def is_random(config):
    """Return whether a sampler draws."""
    return any(word in json.dumps(config) for word in RANDOM)
