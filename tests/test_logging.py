"""The tree of logged values."""

import math
from contextlib import ExitStack
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from structured_energy import logging
from structured_energy.logged_values import LoggedState
from structured_energy.logging import (
    LoggedArray,
    LoggedExtremum,
    LoggedLatest,
    LoggedMean,
    LoggingMixin,
)


class Node(LoggingMixin):
    def __init__(self, log_key=None, children=(), **values):
        super().__init__(log_key)
        self.logging_buffer.update(values)
        for child in children:
            self.adopt(child)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=7), min_size=1, max_size=7))
def test_mean_over_unequal_batches_is_the_mean_of_all_items(batches):
    mean = LoggedMean()
    for batch in batches:
        mean.log(torch.tensor(batch, dtype=torch.float64))
    expected = np.mean(np.concatenate(batches))
    assert mean.value == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_a_scalar_with_a_count_is_the_mean_of_that_many_items():
    mean = LoggedMean()
    mean.log(1.0, count=3)
    mean.log(torch.tensor(5.0), count=1)
    assert mean.value == 2.0
    with pytest.raises(ValueError, match="Expected a scalar with count=2"):
        mean.log(torch.ones(2), count=2)


@pytest.mark.parametrize("value", [2, 2.0, True, np.float32(2), np.ones(3), torch.ones(2, 3)])
def test_numbers_arrays_and_tensors_are_accepted(value):
    mean = LoggedMean()
    mean.log(value)
    assert mean.value == float(np.mean(np.asarray(value)))


def test_other_types_are_refused():
    with pytest.raises(TypeError, match="got str"):
        LoggedMean().log("1.0")


def test_values_without_items_are_omitted_and_reset_discards():
    node = Node("a", mean=LoggedMean(), latest=LoggedLatest(), array=LoggedArray())
    assert node.get_all() == {}
    node.log("mean", 3.0)
    node.log("latest", 4)
    node.log("array", torch.arange(6).reshape(2, 3))
    values = node.get_all(reset=True)
    assert values["mean"] == 3.0 and values["latest"] == 4.0
    np.testing.assert_array_equal(values["array"], [[0, 1, 2], [3, 4, 5]])
    assert node.get_all() == {}


def test_extremum():
    for kind, expected in (("max", 7.0), ("min", -2.0)):
        value = LoggedExtremum(kind)
        for item in (torch.tensor([1.0, 7.0]), -2.0, torch.zeros(0)):
            value.log(item)
        assert value.value == expected
    with pytest.raises(ValueError, match="'max' or 'min'"):
        LoggedExtremum("largest")


def test_logged_tensors_are_detached_and_not_aliased():
    node = Node("a", array=LoggedArray(), mean=LoggedMean())
    tensor = torch.ones(2, requires_grad=True)
    node.log("array", tensor)
    node.log("mean", tensor)
    with torch.no_grad():
        tensor.mul_(5)
    assert node.get_all()["array"].tolist() == [1.0, 1.0] and node.get("mean") == 1.0
    assert not node.logging_buffer["mean"].tensor.requires_grad


def test_dotted_names_and_nested_metrics():
    leaf = Node("leaf", loss=LoggedMean())
    head = Node("model", [Node("sampler", [leaf])], weight=LoggedLatest())
    leaf.log("loss", 2.0)
    head.log("weight", 1)
    assert head.get_all() == {"weight": 1.0, "sampler.leaf.loss": 2.0}
    assert head.get_metrics() == {"weight": 1.0, "sampler": {"leaf": {"loss": 2.0}}}
    assert leaf.get_metrics() == {"loss": 2.0}


def test_of_type_selects():
    node = Node("a", mean=LoggedMean(), array=LoggedArray())
    node.log("mean", 1.0)
    node.log("array", np.zeros(2))
    assert node.get_all(of_type=LoggedMean) == {"mean": 1.0}


def test_the_role_names_a_child_without_a_log_key():
    parent, child, named = Node("p"), Node(), Node("given")
    parent.adopt(child, "sampler")
    parent.adopt(named, "inference")
    assert [node.log_key for node in parent.logging_children] == ["sampler", "given"]


def test_unregistered_key_names_node_and_key():
    with pytest.raises(KeyError, match="'gt_score' is not registered .* node 'margin'"):
        Node("margin").log("gt_score", 1.0)
    with pytest.raises(KeyError, match="'gt_score'.*'margin'"):
        Node("margin").get("gt_score")


def test_duplicate_names_are_refused():
    head = Node("model", [Node("loss", value=LoggedMean()), Node("loss", value=LoggedMean())])
    with pytest.raises(ValueError, match="Two logged values have the name 'loss.value'"):
        head.get_all()


def test_a_cycle_is_refused():
    child = Node("child")
    head = Node("model", [child])
    child.adopt(head)
    with pytest.raises(ValueError, match="cycle: node 'model'"):
        head.get_all()


def test_a_node_reachable_twice_is_collected_once():
    shared = Node("sampler", value=LoggedMean())
    head = Node("model", [shared, Node("other", [shared])])
    shared.log("value", 1.0)
    assert head.get_all() == {"sampler.value": 1.0}


def test_no_logging_nests_covers_children_and_survives_exceptions():
    child = Node("child", value=LoggedMean())
    head = Node("model", [child])
    with pytest.raises(RuntimeError), head.no_logging():
        with child.no_logging():
            child.log("value", 1.0)
        child.log("value", 1.0)
        raise RuntimeError
    assert head.get_all() == {}
    child.log("value", 2.0)
    assert head.get_all() == {"child.value": 2.0}


def test_a_key_that_is_not_registered_raises_even_while_paused():
    node = Node("a")
    with node.no_logging(), pytest.raises(KeyError):
        node.log("typo", 1.0)


def test_get_all_makes_one_copy_to_the_host_and_log_none():
    head = Node(
        "model",
        [Node("a", mean=LoggedMean(), top=LoggedExtremum())],
        array=LoggedArray(),
        latest=LoggedLatest(),
    )
    copies = []
    with ExitStack() as patches:
        for name in ("tolist", "item", "cpu", "numpy", "__float__", "__bool__", "__int__"):
            original = getattr(torch.Tensor, name)

            def counted(tensor, *, _name=name, _original=original):
                copies.append(_name)
                return _original(tensor)

            patches.enter_context(mock.patch.object(torch.Tensor, name, counted))
        for _ in range(3):
            head.logging_children[0].log("mean", torch.randn(5))
            head.logging_children[0].log("top", torch.randn(5))
            head.log("array", torch.randn(4, 2))
            head.log("latest", torch.randn(()))
        assert copies == []
        assert len(head.get_all(reset=True)) == 4
    assert copies == ["tolist"]


def test_merging_workers_gives_the_mean_over_all_items():
    first, second, idle = LoggedMean(), LoggedMean(), LoggedMean()
    first.log(torch.tensor([1.0, 2.0, 3.0]))
    second.log(10.0)
    states = [LoggedState(value.count, value.tensor.tolist()) for value in (first, second)]
    merged = idle.merge([*states, LoggedState()])
    assert merged == LoggedState(num_items=4, numbers=[16.0]) and idle.read(merged) == 4.0
    top = LoggedExtremum()
    states = [LoggedState(1, [2.0]), LoggedState(), LoggedState(1, [5.0])]
    assert top.read(top.merge(states)) == 5.0
    assert top.read(top.merge([LoggedState(), LoggedState()])) is None


def test_only_a_reset_asks_the_other_workers(monkeypatch):
    node = Node("model", loss=LoggedMean())
    node.log("loss", 1.0)
    asked = []

    def all_gather_object(states):
        asked.append(states)
        return [states, [LoggedState(1, [4.0])]]

    monkeypatch.setattr(logging, "num_workers", lambda: 2)
    monkeypatch.setattr(logging, "all_gather_object", all_gather_object)
    assert node.get_all() == {"loss": 1.0}
    assert not asked  # the other worker may not call it, so that this one would wait for ever
    assert node.get_all(reset=True) == {"loss": 2.5}
    assert asked == [[LoggedState(1, [1.0])]]


def test_first_nonfinite_is_the_one_that_was_logged_first():
    loss = Node("loss", value=LoggedMean(), score=LoggedMean(), fine=LoggedMean())
    head = Node("model", [loss])
    assert head.first_nonfinite() is None
    loss.log("fine", 1.0)
    loss.log("score", math.nan)
    loss.log("value", math.inf)
    assert head.first_nonfinite() == "loss.score"


def test_describe_shows_every_node_and_value():
    head = Node(
        "model", [Node("sampler", [Node("loss", value=LoggedMean())], top=LoggedExtremum())]
    )
    assert head.describe() == (
        "model (Node)\n"
        "└── sampler (Node)\n"
        "    ├── top: LoggedExtremum\n"
        "    └── loss (Node)\n"
        "        └── value: LoggedMean"
    )


def test_default_log_key_is_the_class_name():
    class MarginBasedLoss(LoggingMixin):
        pass

    assert MarginBasedLoss().log_key == "margin_based"
    with pytest.raises(ValueError, match="without a dot"):
        LoggingMixin("a.b")
