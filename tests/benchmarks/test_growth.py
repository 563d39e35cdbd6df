"""The benchmark of growth, on small sizes and on steps whose growth is known."""

import os
import signal
import sys

import pytest
import torch

from benchmarks import growth


@pytest.fixture()
def run(monkeypatch, tmp_path, capsys):
    def started(*arguments):
        monkeypatch.setattr(sys, "argv", ["growth.py", "--out", str(tmp_path), *arguments])
        status = growth.main()
        return status, capsys.readouterr().out, sorted(path.name for path in tmp_path.iterdir())

    return started


SIZE_OF = {
    "labels": lambda model, batch: batch["labels"].shape[1],
    "draws": lambda model, batch: model.sampler.num_samples,
    "tokens": lambda model, batch: batch["labels"].shape[1],
    "tags": lambda model, batch: model.vocab.get_vocab_size("labels"),
}


@pytest.mark.parametrize("axis", sorted(growth.AXES))
def test_every_method_takes_a_step_of_every_axis(axis):
    _, methods, make = growth.AXES[axis]
    for method in methods:
        torch.manual_seed(0)
        model, batch = make(method, 7)
        before = {name: p.clone() for name, p in model.named_parameters()}
        assert growth.seconds_of_step(model, batch, repeats=1) > 0
        moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
        trained = {n for network in model.losses for n, _ in model.networks[network]}
        assert moved and moved <= trained
        assert SIZE_OF[axis](model, batch) == 7


class Squares(torch.nn.Module):
    """A step that takes size² time, as its clock says, and size² memory."""

    losses = {"network": None}

    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.networks = {"network": [("weight", self.weight)]}
        self.size = size

    def optimizing(self, network):
        return torch.enable_grad()

    def forward(self):
        rows = torch.ones(self.size, self.size)
        growth.time.now += self.size**2
        return {"loss": self.weight * rows.sum()}


class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.mark.parametrize(("math", "status"), [(2, 0), (1, 1)])
def test_growth_beyond_the_math_is_told(run, monkeypatch, math, status):
    axis = growth.Axis((500, 2000, 6000), {"squares": math}, lambda _, size: (Squares(size), {}))
    monkeypatch.setattr(growth, "AXES", {"size": axis})
    monkeypatch.setattr(growth, "time", Clock())
    monkeypatch.setattr(growth, "peak_megabytes", lambda: growth.time.now / 1e4)
    found, text, files = run("--axes", "size", "--repeats", "2")
    assert found == status and ("!" in text) == bool(status)
    assert "2.00" in text and "6,000" in text
    assert files == ["growth.png", "growth.svg"]


def test_the_memory_is_that_of_the_step(monkeypatch):
    monkeypatch.setattr(growth, "time", Clock())
    small, large = (
        growth.measure(lambda _, size: (Squares(size), {}), "squares", size, repeats=1)
        for size in (100, 5000)
    )
    assert large.megabytes - small.megabytes == pytest.approx(4 * 25, rel=0.3)


def test_memory_is_fitted_beyond_that_of_torch():
    points = [growth.Point(size, 0.01 + size, 120 + size / 10) for size in (10, 100, 1000)]
    time, memory = growth.exponents(points)
    assert time == pytest.approx(1, abs=0.01) and memory == pytest.approx(1, abs=0.05)
    square = [growth.Point(size, size**2, 120 + size**2 / 100) for size in (10, 100, 1000)]
    assert growth.exponents(square) == pytest.approx((2, 2), abs=0.01)


def test_a_process_that_dies_is_told():
    def die(method, size):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RuntimeError, match="the costs of dvn at 1,000, got .* -9"):
        growth.measure(die, "dvn", 1000, repeats=1)
