"""Configs with other methods, hyper-parameters and seeds, and the spaces to search."""

import json

import pytest
from allennlp.common.checks import ConfigurationError
from shipped import FOLDER
from sweeps.configs import LIBRARY, plain_config

from structured_energy.configs import evaluate_snippet
from structured_energy.sweeps import ConfigFile, default_space, read_space
from structured_energy.sweeps.search_space import own_values

TABLE = "{ train: 'x', lr: 0.2, b: 1, tuned: { fast: { b: [2] } } }"


@pytest.fixture()
def file(tmp_path):
    def write(changes="", overrides=""):
        (tmp_path / "lib.libsonnet").write_text(LIBRARY)
        path = tmp_path / "mine.jsonnet"
        path.write_text(f"(import 'lib.libsonnet').slow({TABLE}) {changes}")
        return ConfigFile(path, overrides)

    return write


def test_a_method_is_swapped_and_keeps_what_it_was_tuned_to(file):
    assert file().config()["model"] == {"a": 1, "own": "slow"}
    assert file().config("fast") == {
        "trainer": {"optimizer": {"lr": 2.0}, "num_epochs": 2},
        "model": {"a": 1, "b": [2]},
    }
    assert file().config("fast", {"b": 7, "lr": 1}, seed=3) == {
        "trainer": {"optimizer": {"lr": 10}, "num_epochs": 2},
        "model": {"a": 1, "b": 7},
        "random_seed": 3,
        "numpy_seed": 3,
        "pytorch_seed": 3,
    }


def test_changes_after_the_call_are_changes_of_every_method(file):
    changed = file("{ trainer+: { num_epochs: 5, patience: 1 }, model+: { a:: 1 }, top: [1] }")
    config = changed.config("fast", {"lr": 1})
    assert config["trainer"] == {"optimizer": {"lr": 10}, "num_epochs": 5, "patience": 1}
    assert config["top"] == [1] and config["model"] == {"b": [2]}


def test_a_change_that_does_not_fit_another_method_is_an_error(file):
    changed = file("{ model+: { own: 'other' } }")
    assert changed.config()["model"]["own"] == "other"
    with pytest.raises(ConfigurationError, match=r"'model.own' to fit the method 'fast'.*absent"):
        changed.config("fast")
    fixed = file("{ trainer+: { optimizer+: { lr: 3 } } }")
    with pytest.raises(ConfigurationError, match=r"'trainer.optimizer.lr' to fit .*'lr': 1"):
        fixed.config(None, {"lr": 1})


def test_overrides_are_laid_over_every_config(file):
    config = file("", '{"trainer.num_epochs": 9, "model.a": 4}').config("fast")
    assert config["trainer"]["num_epochs"] == 9 and config["model"] == {"a": 4, "b": [2]}


def test_a_value_that_is_searched_comes_after_the_overrides(file):
    overridden = file("", '{"trainer.num_epochs": 9}')
    assert overridden.config(None, {"trainer.num_epochs": 3})["trainer"]["num_epochs"] == 3


def test_methods_are_those_of_the_library(file, tmp_path):
    assert file().name == "slow" and file().methods(None) == [None]
    assert file().methods(["all"]) == ["fast", "slow"]
    with pytest.raises(ConfigurationError, match="got 'fsat'; did you mean 'fast'"):
        file().methods(["fsat"])
    with pytest.raises(ConfigurationError, match="got 'zzz'; the methods are fast, slow"):
        file().methods(["zzz"])
    (tmp_path / "own.json").write_text("{}")
    own = ConfigFile(tmp_path / "own.json")
    assert own.name == "own" and own.library is None
    with pytest.raises(ConfigurationError, match="one call of the library"):
        own.methods(["slow"])
    with pytest.raises(ConfigurationError, match="path of a value.*got 'lr'"):
        own.config(None, {"lr": 1})


def test_values_by_path(file):
    config = file().config(None, {"trainer.optimizer.eps": 1, "model.a": [1]})
    assert config["trainer"]["optimizer"] == {"lr": 0.2, "eps": 1} and config["model"]["a"] == [1]
    with pytest.raises(ConfigurationError, match="no 'trainer.optimiser' there"):
        file().config(None, {"trainer.optimiser.lr": 1})


def test_spaces_of_the_library(file):
    assert default_space(file()) == {"lr": {"log": [0.1, 1]}}
    assert default_space(file(), "fast") == {"b": {"choices": [1, [2]]}}
    assert own_values(file(), default_space(file())) == ({"lr": 0.2}, {})
    assert own_values(file(), default_space(file(), "fast"), "fast") == ({"b": [2]}, {})
    # Also names that the space of the library does not have.
    space = {"lr": {"log": [1, 2]}, "model.a": {"uniform": [0, 2]}, "b": {"choices": [1]}}
    space["model.z"] = {"choices": [1]}
    assert own_values(file(), space) == ({"model.a": 1, "b": 1}, {"lr": 0.2, "model.z": None})


def test_the_default_space_of_any_other_config(tmp_path):
    config = {
        "model": {
            "encoder": {"dropout": 0.1, "layers": 3},
            "sampler": {
                "loss": {"type": "combination", "weights": [2.0, 0.0]},
                "optimizer": {"learning_rate": 1.0},
            },
        },
        "trainer": {
            "optimizer": {"type": "adamw", "lr": 0.02, "weight_decay": 1e-5},
            "networks": {"score_network": {"optimizer": "adam"}},
        },
    }
    path = tmp_path / "own.json"
    path.write_text(json.dumps(config))
    space = default_space(ConfigFile(path))
    assert space == {
        "model.encoder.dropout": {"uniform": [0.0, 0.8]},
        "model.sampler.loss.weights.0": {"log": [0.2, 20.0]},
        "model.sampler.optimizer.learning_rate": {"log": [0.1, 10.0]},
        "trainer.optimizer.lr": {"log": [0.002, 0.2]},
        "trainer.optimizer.weight_decay": {"log": [1e-6, 1e-4]},
        "trainer.networks.score_network.optimizer.lr": {"log": [1e-4, 1e-2]},
    }
    values, outside = own_values(ConfigFile(path), space)
    assert outside == {"trainer.networks.score_network.optimizer.lr": None}
    assert values["model.sampler.loss.weights.0"] == 2.0 and len(values) == 5
    changed = ConfigFile(path).config(None, dict.fromkeys(space, 0.5))
    assert changed["trainer"]["networks"]["score_network"]["optimizer"] == {
        "type": "adam",
        "lr": 0.5,
    }
    assert changed["model"]["sampler"]["loss"]["weights"] == [0.5, 0.0]
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="--space"):
        default_space(ConfigFile(path))


@pytest.mark.parametrize(
    "text",
    [
        "{lr: {log: [0, 1]}}",
        "{lr: {log: [2, 1]}}",
        "{lr: {uniform: [1]}}",
        "{lr: {integer: [1, 2.5]}}",
        "{lr: {choices: []}}",
        "{lr: {low: 1, high: 2}}",
        "{lr: {log: [1, 2], uniform: [1, 2]}}",
        "{lr: 3}",
    ],
)
def test_ranges_that_are_none(text):
    with pytest.raises(ConfigurationError, match="range of 'lr' to be"):
        read_space(text)


def test_spaces_of_files(tmp_path):
    path = tmp_path / "space.jsonnet"
    path.write_text("local r = { integer: [1, 3] }; { 'a.b': r }")
    assert read_space(str(path)) == {"a.b": {"integer": [1, 3]}}
    path.write_text("{ a")
    with pytest.raises(ConfigurationError, match="space.jsonnet"):
        read_space(str(path))
    with pytest.raises(ConfigurationError, match="search space with names"):
        read_space("{}")


@pytest.mark.parametrize("data_set", ["multi_label/digits", "tagging/twpos"])
def test_every_hyper_parameter_of_a_shipped_search_space_changes_the_config(data_set):
    paths = sorted((FOLDER / data_set).glob("*.jsonnet"))
    assert len(paths) > 10
    libraries = ", ".join(f"(import '{path}').library" for path in paths)
    spaces = evaluated(f"[library.search_space for library in [{libraries}]]")
    # All in one evaluation, for each reads the library.
    calls, limits = [], []
    for path, space in zip(paths, spaces, strict=True):
        for name, where in space.items():
            (values,) = where.values()
            for value in (values[0], values[-1]):
                table = json.dumps({name: value})
                calls.append(f"(import '{path}').library.config('{path.stem}', {table})")
            limits.append((path, name, values[0]))
    configs = evaluated(f"[{', '.join(calls)}]")
    for number, (path, name, _) in enumerate(limits):
        assert configs[2 * number] != configs[2 * number + 1], f"{path}: {name} is not used"
    path, name, low = limits[-1]
    assert ConfigFile(path).config(None, {name: low}) == configs[-2]
    assert default_space(ConfigFile(path)) == spaces[-1]


def evaluated(snippet):
    return json.loads(evaluate_snippet("snippet", snippet))


def test_plain_configs_are_left_as_they_are(tmp_path):
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(plain_config(tmp_path)))
    assert ConfigFile(path).config() == json.loads(path.read_text())
