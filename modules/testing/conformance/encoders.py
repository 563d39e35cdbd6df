"""The conformance suite of encoders."""

from typing import Any, Tuple

import pytest
import torch
from torch.func import functional_call

from ...encoders import Encoder
from ..problem import TestProblem
from .edges import check_finite, check_low_precision, edge_problems
from .suite import DTYPES, Conformance, check_gradients, in_dtypes


class EncoderConformance(Conformance):
    """An encoder: shapes, instances that do not see each other, padding, gradients."""

    base = Encoder

    def expected_shape(self, problem: TestProblem, component: Encoder) -> Tuple[int, ...]:
        """Return the shape of h."""
        positions = problem.mask.shape[1:] if component.position_dims else ()
        return (len(problem.mask), *positions, component.output_size)

    @in_dtypes(*DTYPES)
    def test_shape_and_dtype(self, problem: TestProblem, component: Encoder) -> None:
        for mask in (problem.mask, None):
            h = component(problem.x, mask)
            assert h.shape == self.expected_shape(problem, component)
            assert h.dtype == problem.dtype

    def test_instances_are_independent(self, problem: TestProblem, component: Encoder) -> None:
        component.eval()
        problem.task_network.eval()
        together = component(problem.x, problem.mask)
        for i in range(len(together)):
            single = component(problem.instance(i), problem.mask[i : i + 1])
            torch.testing.assert_close(single[0], together[i])

    def test_more_padding_changes_nothing(self, problem: TestProblem, component: Encoder) -> None:
        if not isinstance(problem.x, dict):
            pytest.skip("only tokens are padded to the longest of a batch")
        component.eval()
        problem.task_network.eval()
        words = problem.x["tokens"]["tokens"]
        longer = {"tokens": {"tokens": torch.nn.functional.pad(words, (0, 3))}}
        h = component(problem.x, problem.mask)
        other = component(longer, torch.nn.functional.pad(problem.mask, (0, 3)))
        if component.position_dims:
            h, other = h[problem.mask], other[:, : words.shape[1]][problem.mask]
        torch.testing.assert_close(h, other)

    def outputs(self, problem: TestProblem, component: Encoder) -> torch.Tensor:
        return component(problem.x, problem.mask)

    @in_dtypes(torch.float32)
    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(Encoder, snippet)
            h = component(edge.x, edge.mask)
            assert h.shape == self.expected_shape(edge, component), name
            check_finite(name, h)

    @in_dtypes(torch.float32)
    def test_low_precision(self, problem: TestProblem, component: Encoder) -> None:
        component.eval()
        problem.task_network.eval()
        check_low_precision(lambda: component(problem.x, problem.mask))

    def test_gradients(self, problem: TestProblem, component: Encoder) -> None:
        component.eval()
        weights = {key: value for key, value in component.named_parameters() if value.requires_grad}
        if not weights:
            pytest.skip("it has no weights that are trained")

        def h(*values: torch.Tensor) -> Any:
            by_name = dict(zip(weights, values, strict=True))
            return functional_call(component, by_name, (problem.x, problem.mask))

        check_gradients(h, list(weights.values()))

    def test_every_weight_that_is_trained_learns(
        self, problem: TestProblem, component: Encoder
    ) -> None:
        weights = {key: value for key, value in component.named_parameters() if value.requires_grad}
        if not weights:
            pytest.skip("it has no weights that are trained")
        h = component(problem.x, problem.mask)
        (h * torch.randn_like(h)).sum().backward()
        for name, weight in weights.items():
            assert weight.grad is not None and weight.grad.abs().sum() > 0, name
