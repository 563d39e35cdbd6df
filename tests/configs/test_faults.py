"""Every key, name and type of a config is checked before data are read, with no false alarm."""

import copy
import json
import time

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from shipped import FOLDER, METHODS, SELECTED, WRITE, config_of, name_of
from test_training_configs import FREE, misspellings

from structured_energy.configs import faults_of

PATH = FOLDER / "multi_label" / "digits" / "seal_dynamic_nce.jsonnet"


def of(**changes):
    config = config_of(PATH)
    for place, value in changes.items():
        *above, key = place.split("__")
        inside = config
        for name in above:
            inside = inside[name]
        inside[key] = value
    return config


def messages(config):
    return [fault.message for fault in faults_of(config)]


@pytest.mark.parametrize("path", SELECTED, ids=name_of)
def test_shipped_configs_have_no_faults(path):
    assert faults_of(config_of(path)) == []


@pytest.mark.parametrize("task", sorted(WRITE))
def test_each_misspelling_is_a_fault(task):
    tried = set()  # a key of the optimizer is misspelt once, not in every method
    silent = []
    for path in METHODS:
        if path.parts[-3] != task:
            continue
        for what, around, wrong in misspellings(config_of(path)):
            if around in tried:
                continue
            tried.add(around)
            found = faults_of(wrong)
            place = what.removeprefix("name at ")
            if not found:
                silent.append(what)
            else:
                at = found[0].place.removesuffix(".type")
                assert at.startswith(place.rpartition(".")[0]), (what, found)
    assert len(tried) > 100
    # Keys of a dictionary by the user's own names, and of `**kwargs`.
    assert [what for what in silent if what not in FREE | OPEN] == []


OPEN = {
    "model.task_network.encoder.embedder.token_embedders.tokens",
    "model.task_network.encoder.embedder.token_embedders.characters",
    "model.score_network.encoder.embedder.token_embedders.tokens",
    "model.score_network.encoder.embedder.token_embedders.characters",
    "model.task_network.encoder.encoder.encoder.embedder.token_embedders.tokens",
    "model.score_network.encoder.encoder.encoder.embedder.token_embedders.tokens",
    "model.task_network.encoder.encoder.encoder.encoder.embedder.token_embedders.tokens",
    "model.score_network.encoder.encoder.encoder.encoder.embedder.token_embedders.tokens",
    "dataset_reader.token_indexers.tokens",
    "dataset_reader.token_indexers.characters",
    "data_loader.augmentations.0.size",
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model__samplr": {}},
            "Expected a key of StructuredEnergyModel at 'model' of the config, got 'samplr'; did "
            "you mean 'sampler'?",
        ),
        (
            {"trainer__num_epoch": 3},
            "Expected a key of MinimaxTrainer at 'trainer' of the config, got 'num_epoch'; did you "
            "mean 'num_epochs'?",
        ),
        (
            {"model__loss": "nce-rankin"},
            "Expected 'type' at 'model.loss' of the config to be a name registered for Loss, got "
            "'nce-rankin'; did you mean 'nce-ranking'?",
        ),
        (
            {"trainer__num_epochs": "3"},
            "Expected an integer for 'trainer.num_epochs' of the config, got \"3\".",
        ),
        (
            {"model__metrics": "micro-f1"},
            "Expected a list for 'model.metrics' of the config, got \"micro-f1\".",
        ),
        (
            {"model__sampler__kind": "discret"},
            "got \"discret\"; did you mean 'discrete'?",
        ),
        (
            {"trainer__networks__score_network__optimizer__lrr": 1},
            "at 'trainer.networks.score_network.optimizer' of the config, got 'lrr'; did you mean "
            "'lr'?",
        ),
        ({"random_seed": "a"}, "Expected an integer for 'random_seed' of the config"),
        ({"distributed": {"cuda_device": [0]}}, "did you mean 'cuda_devices'?"),
        (
            {"model__type": "os.path"},
            "at 'model' of the config to be a name registered for Model, got 'os.path': ",
        ),
        ({"model__sampler": ["a"]}, "Expected a dictionary, or the name of a component, for"),
    ],
)
def test_a_fault_names_its_place_and_what_was_expected(changes, message):
    found = messages(of(**changes))
    assert len(found) == 1 and message in found[0], found


def test_a_missing_key_is_a_fault():
    config = of()
    del config["model"]["sampler"], config["train_data_path"]
    assert messages(config) == [
        "Expected the key 'train_data_path' of TrainModel in the config, got none.",
        "Expected the key 'sampler' of StructuredEnergyModel at 'model' of the config, got none.",
    ]


def test_what_allennlp_takes_is_no_fault():
    config = of(
        data_loader={"batch_sampler": {"type": "bucket", "batch_size": 4, "padding_noise": 0}},
        trainer__cuda_device="cuda:0",
        trainer__grad_norm=True,
        trainer__moving_average={"type": "exponential", "decay": 0.9},
        trainer__callbacks=["console-tree", {"type": "wandb", "project": "a"}],
        trainer__optimizer={
            "type": "adam",
            "betas": [0.9, 0.99],
            "parameter_groups": [[["a.*"], {"lr": 1}]],
        },
        vocabulary={"type": "extend", "directory": "vocabulary", "min_count": {"tokens": 2}},
        model__initializer={"regexes": [["a.*", {"type": "normal", "std": 1}], ["b", "zero"]]},
        include_in_archive=["a"],
        evaluation={},
        random_seed=1,
    )
    assert messages(config) == []
    config["trainer"] = {"num_epochs": 1, "optimizer": "adam", "run_sanity_checks": False}
    assert messages(config) == []
    config["trainer"]["num_epoch"] = 1
    assert "did you mean 'num_epochs'?" in messages(config)[0]


def test_train_names_all_faults_before_it_reads_data(tmp_path, monkeypatch):
    monkeypatch.setattr(DatasetReader, "read", lambda *_: pytest.fail("data are read"))
    config = of(model__samplr={}, trainer__num_epoch=3)
    before = copy.deepcopy(config)
    params = Params(config)
    with pytest.raises(ConfigurationError, match=r"has 2 faults: \(1\) .*'samplr'.*'num_epoch'"):
        train_model(params, str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    assert params.as_dict(quiet=True) == before


def test_the_check_takes_a_fraction_of_a_second():
    config = json.loads(json.dumps(config_of(FOLDER / "tagging" / "twpos" / "crf.jsonnet")))
    start = time.process_time()
    faults_of(config)
    assert time.process_time() - start < 0.3


def test_faults_of_evaluations_are_named():
    right = {"a": {"type": "score-ranking"}, "b": {"type": "inference", "sampler": "random"}}
    assert messages(of(model__evaluations=right)) == []
    wrong = {"a": {"type": "score-rank"}, "b": {"type": "inference", "sampler": {"type": "randm"}}}
    found = faults_of(of(model__evaluations=wrong))
    assert [fault.place for fault in found] == [
        "model.evaluations.a.type",
        "model.evaluations.b.sampler.type",
    ]
