"""Compiled networks and subnormal numbers. test_gpu.py has other tasks and half precision, since
compiling takes long."""

import json

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import load_archive
from shipped import FOLDER, small_and_plain

from structured_energy.training import MinimaxTrainer
from structured_energy.training.acceleration import without_subnormals


def metrics_of(config, folder):
    train_model(Params(json.loads(json.dumps(config))), str(folder))
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture()
def graphs(monkeypatch):
    """The graphs that torch compiles, which run unchanged."""
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    original = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: original(function, backend=backend))
    torch._dynamo.reset()
    yield compiled
    torch._dynamo.reset()


@pytest.mark.parametrize("method", ["dvn", "inference_network"])
def test_compiled_networks_learn_the_same(method, tmp_path, graphs):
    config = small_and_plain(FOLDER / f"multi_label/digits/{method}.jsonnet", tmp_path / "data")
    plain = metrics_of(config, tmp_path / "plain")
    assert not graphs
    config["trainer"]["compile_networks"] = True
    compiled = metrics_of(config, tmp_path / "compiled")
    assert graphs
    assert compiled.keys() == plain.keys()
    for name, value in plain.items():
        if isinstance(value, float) and not name.endswith("memory_MB"):
            assert compiled[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    # The archive does not depend on compilation.
    count = len(graphs)
    archive = load_archive(tmp_path / "compiled" / "model.tar.gz")
    weights = load_archive(tmp_path / "plain" / "model.tar.gz").model.state_dict()
    assert archive.model.state_dict().keys() == weights.keys()
    assert len(graphs) == count


@pytest.mark.parametrize(
    ("method", "trainer", "message"),
    [
        ("spen_end_to_end", {"compile_networks": True}, "unrolled inference, which 'sampler' has"),
        ("cross_entropy", {"amp_dtype": "half"}, "amp_dtype 'float16' or 'bfloat16' .* 'half'"),
    ],
)
def test_unrolled_inference_and_unknown_types_are_refused(method, trainer, message, tmp_path):
    config = small_and_plain(FOLDER / f"multi_label/digits/{method}.jsonnet", tmp_path / "data")
    config["trainer"].update(trainer)
    with pytest.raises(ConfigurationError, match=message):
        train_model(Params(config), str(tmp_path / "run"))


def test_training_rounds_subnormal_numbers_to_0(tmp_path, monkeypatch):
    def half_of_the_least():
        return float(torch.tensor(torch.finfo(torch.float32).tiny) / 2)

    inside = []

    def epoch(self, number, train_epoch=MinimaxTrainer._train_epoch):
        inside.append(half_of_the_least())
        return train_epoch(self, number)

    monkeypatch.setattr(MinimaxTrainer, "_train_epoch", epoch)
    config = small_and_plain(FOLDER / "multi_label/digits/cross_entropy.jsonnet", tmp_path / "data")
    for before in (False, True):
        torch.set_flush_denormal(before)
        metrics_of(config, tmp_path / str(before))
        assert (half_of_the_least() == 0) == before  # restored
    torch.set_flush_denormal(False)
    assert inside and not any(inside)


@pytest.fixture()
def two_threads():
    """Let torch use two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_every_thread_rounds_subnormal_numbers_to_0(two_threads):
    subnormal = torch.full((1_000_000,), torch.finfo(torch.float32).tiny / 2)

    def left():
        return int(torch.count_nonzero((subnormal * 1).view(torch.int32)))

    assert left() == 1_000_000
    with without_subnormals():
        assert left() == 0
    assert left() == 1_000_000
