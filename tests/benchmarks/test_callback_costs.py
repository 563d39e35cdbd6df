"""The benchmark of the callbacks: what it adds up, and that each of them runs."""

import copy

import pytest
from allennlp.training import TrainerCallback
from component_names import names_of
from snippets import CROSS_ENTROPY

from benchmarks import callback_costs
from structured_energy.testing import data_config, evaluate_jsonnet, merged


def test_every_callback_of_ours_is_measured():
    assert set().union(*callback_costs.CONFIGS.values()) == set(names_of(TrainerCallback))


def test_the_costs_of_a_tiny_training(wandb_environment, tmp_path):
    config = merged(data_config(tmp_path), evaluate_jsonnet(CROSS_ENTROPY))
    before = copy.deepcopy(config)
    costs = callback_costs.compare(config, callback_costs.TREE, repeats=2)
    assert config == before
    assert list(costs) == ["", *callback_costs.TREE]
    for name, taken in costs.items():
        assert len(taken) == 2
        assert all(0 < one.within < one.total for one in taken), name
    table = callback_costs.table_of("tiny", costs)
    assert table.row_count == len(callback_costs.TREE)


def test_shares_are_of_the_rest():
    costs = callback_costs.Costs(total=110.0, within=10.0, once=8.0)
    assert costs.share == pytest.approx(0.1) and costs.share_of_epochs == pytest.approx(0.02)


def test_a_stopwatch_adds_up_each_method(monkeypatch, tmp_path):
    now = iter(range(100))
    callback = TrainerCallback(str(tmp_path))
    watch = callback_costs.Stopwatch(callback)
    monkeypatch.setattr(callback_costs.time, "perf_counter", lambda: next(now))
    assert callback.on_backward(None, {}, False) is False
    callback.on_end(None)
    callback.on_end(None)
    assert {name: seconds for name, seconds in watch.seconds.items() if seconds} == {
        "on_backward": 1,
        "on_end": 2,
    }


@pytest.mark.parametrize("name", callback_costs.CONFIGS)
def test_a_shipped_config_is_trained_to_its_end(name):
    trainer = callback_costs.config_for(name, None)["trainer"]
    assert trainer["num_epochs"] == 60 and trainer["patience"] is None
    assert callback_costs.config_for(name, 2)["trainer"]["num_epochs"] == 2
