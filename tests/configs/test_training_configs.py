"""Every shipped config: it parses, trains, saves and loads on small data; a misspelt key raises."""

import copy
import json
from pathlib import Path

import _jsonnet
import pytest
from allennlp.commands.train import TrainModel, train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from structured_energy.testing import write_arff

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "training_configs").glob("*/*/*.jsonnet"))


def name_of(path):
    return "/".join(path.parts[-3:])


def small(path, folder):
    """The config, with small data and two epochs."""
    config = json.loads(_jsonnet.evaluate_file(str(path)))
    for part, rows in (("train", 20), ("validation", 9), ("test", 7)):
        config[f"{part}_data_path"] = str(write_arff(folder, part, rows, seed=len(part)))
    config["dataset_reader"] = {"type": "arff"}
    config["trainer"]["num_epochs"] = 2
    return config


def test_there_are_configs():
    assert {name_of(path) for path in CONFIGS} >= {
        "multi_label/bibtex/cross_entropy.jsonnet",
        "multi_label/bibtex/inference_network.jsonnet",
        "multi_label/digits/cross_entropy.jsonnet",
        "multi_label/digits/inference_network.jsonnet",
    }


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
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
        assert prediction["probabilities"] == pytest.approx(expected.tolist(), abs=1e-6)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= metrics["test_example_f1"] <= 1
    assert "training_sampler.loss.value" in metrics
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_every_weight_gets_a_gradient(path, tmp_path):
    config = small(path, tmp_path / "data")
    run = TrainModel.from_params(
        Params(config), serialization_dir=str(tmp_path), local_rank=0, batch_weight_key=""
    )
    model = run.model.train()
    model(**next(iter(run.trainer.data_loader)))["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


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


def names_in(config):
    """The paths of all registered names: those under `type`, and those that stand alone."""
    alone = [
        ("model", "output_space"),
        ("model", "oracle_value"),
        ("model", "threshold"),
        *((("model", "metrics", i)) for i in range(len(config["model"]["metrics"]))),
    ]
    for path in places(config):
        for key in at(config, path):
            if key == "type" or key == "loss" and isinstance(at(config, path)[key], str):
                yield (*path, key)
    yield from (path for path in alone if isinstance(at(config, path), str))


def misspellings(config):
    for path in places(config):
        for key in at(config, path):
            wrong = copy.deepcopy(config)
            place = at(wrong, path)
            place[f"{key}_"] = place.pop(key)
            yield ".".join(map(str, (*path, key))), wrong
    for path in names_in(config):
        wrong = copy.deepcopy(config)
        at(wrong, path[:-1])[path[-1]] += "_"
        yield "name at " + ".".join(map(str, path)), wrong


# What AllenNLP itself takes with **kwargs, or names freely.
FREE = {"trainer.checkpointer.keep_most_recent_by_count"}


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_each_misspelling_raises(path, tmp_path, monkeypatch):
    config = small(path, tmp_path / "data")
    read = DatasetReader.read
    kept = {}

    def read_once(reader, file_path):
        return kept.setdefault(str(file_path), list(read(reader, file_path)))

    monkeypatch.setattr(DatasetReader, "read", read_once)
    silent = []
    count = 0
    for what, wrong in misspellings(config):
        count += 1
        try:
            TrainModel.from_params(
                Params(wrong), serialization_dir=str(tmp_path), local_rank=0, batch_weight_key=""
            )
        except (ConfigurationError, TypeError, ValueError, KeyError, RuntimeError) as error:
            assert str(error), what
        else:
            silent.append(what)
    assert count > 50
    assert [what for what in silent if what not in FREE] == []


def test_the_vocabulary_decides_the_sizes(tmp_path):
    config = small(CONFIGS[0], tmp_path / "data")
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
