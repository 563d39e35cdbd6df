"""Problems at the edge of what a component can be given, and low precision."""

from typing import Callable, Iterator, Tuple

import torch

from ..problem import TestProblem, make_test_problem

LOW_PRECISION = (torch.bfloat16, torch.float16)
EXTREME = 1e4  # of logits, in absolute value


def edge_problems(problem: TestProblem) -> Iterator[Tuple[str, TestProblem]]:
    """Problems of the space and dtype of another one, each with one thing at its edge, by name."""

    def make(batch_size: int = 3, one_label: bool = False) -> TestProblem:
        return make_test_problem(
            dtype=problem.dtype, space=problem.space, batch_size=batch_size, one_label=one_label
        )

    yield "one instance", make(batch_size=1)
    if problem.space != "categorical":  # which refuses a single tag
        yield "one label", make(one_label=True)
    for name, value in (("no label", 0), ("every label", 1)):
        edge = make()
        edge.labels = torch.full_like(edge.labels, value)
        yield name, edge
    edge = make()
    edge.mask = torch.zeros_like(edge.mask)
    edge.mask.flatten(1)[:, 0] = True
    if problem.space in ("categorical", "dependencies"):
        words = edge.x["tokens"]["tokens"]
        words.masked_fill_(~edge.mask, 0)
    yield "one position", edge


def make_extreme(problem: TestProblem) -> None:
    """Scales the weights of both networks until the logits are as large as those of a network that
    has diverged."""
    for network, answer in (
        (problem.task_network, problem.task_network),
        (problem.score_network, problem.score_network.potentials),
    ):
        with torch.no_grad():
            while answer(problem.x, problem.mask).abs().max() < EXTREME:
                for parameter in network.parameters():
                    parameter.mul_(1.2)


def precisions() -> Iterator[torch.autocast]:
    """Contexts: the precision of the weights, then automatic mixed precision on the CPU."""
    yield torch.autocast("cpu", enabled=False)
    for dtype in LOW_PRECISION:
        yield torch.autocast("cpu", dtype)


def check_low_precision(function: Callable[[], torch.Tensor]) -> None:
    """Check that autocast changes the values of a function of float32 only a little."""
    expected = function()
    for precision in precisions():
        with precision:
            values = function()
        torch.testing.assert_close(values.to(expected.dtype), expected, rtol=0.1, atol=0.1)


def check_finite(name: str, *tensors: torch.Tensor) -> None:
    """No value is NaN or infinite."""
    for tensor in tensors:
        assert torch.isfinite(tensor).all(), f"{name}: {tensor}"
