"""The conformance suite of structured scores."""

from functools import partial
from typing import Any, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ...gradients import GradientAdder, ValueAndGradient
from ...score_networks import StructuredScore
from ..problem import SPACES, TestProblem, make_test_problem
from .edges import check_finite, check_low_precision, edge_problems
from .suite import (
    DTYPES,
    Conformance,
    check_gradient_function,
    check_gradients,
    in_dtypes,
    with_padding_changed,
)


def scores_of(
    component: StructuredScore,
    problem: TestProblem,
    y: torch.Tensor,
    h: Optional[torch.Tensor] = None,
    mask: Optional[torch.Tensor] = None,
) -> torch.Tensor:
    """Return the scores of y, with the encoding h of the problem's x."""
    if h is None:
        h = encoding_of(problem)
    return component(y, mask, component.encode(problem.x, h, mask))


def encoding_of(problem: TestProblem) -> torch.Tensor:
    """Return the encoding of the problem's x by its task network."""
    return problem.task_network.hidden(problem.x, problem.mask).detach()


class StructuredScoreConformance(Conformance):
    """A term of the score: shapes, samples and instances that do not see each other, padding,
    gradients in y and in the encoding, and outputs that it refuses."""

    base = StructuredScore

    @in_dtypes(*DTYPES)
    def test_shape_and_dtype(self, problem: TestProblem, component: StructuredScore) -> None:
        score = scores_of(component, problem, problem.sample().y, mask=problem.mask)
        assert score.shape == (3, 3)
        assert score.dtype == problem.dtype

    def test_samples_and_instances_are_independent(
        self, problem: TestProblem, component: StructuredScore
    ) -> None:
        component.eval()
        y, h = problem.sample().y, encoding_of(problem)
        together = scores_of(component, problem, y, h, problem.mask)
        for i in range(3):
            mask = problem.mask[i : i + 1]
            context = component.encode(problem.instance(i), h[i : i + 1], mask)
            for j in range(3):
                single = component(y[i : i + 1, j : j + 1], mask, context)
                torch.testing.assert_close(single[0, 0], together[i, j])

    def test_padding_changes_nothing(
        self, problem: TestProblem, component: StructuredScore
    ) -> None:
        component.eval()
        y, h = problem.sample().y, encoding_of(problem)
        first, second = (
            scores_of(component, problem, with_padding_changed(problem, y, value), h, problem.mask)
            for value in (0.0, 1.0)
        )
        torch.testing.assert_close(first, second)

    def outputs(self, problem: TestProblem, component: StructuredScore) -> torch.Tensor:
        torch.manual_seed(7)
        return scores_of(component, problem, problem.sample().y, mask=problem.mask)

    @in_dtypes(torch.float32)
    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(StructuredScore, snippet)
            for num_samples in (1, 3):
                y = edge.sample(num_samples).y
                score = scores_of(component, edge, y, mask=edge.mask)
                assert score.shape == (len(edge.labels), num_samples), name
                check_finite(name, score)

    @in_dtypes(torch.float32)
    def test_low_precision(self, problem: TestProblem, component: StructuredScore) -> None:
        component.eval()
        y, h = problem.sample().y, encoding_of(problem)
        check_low_precision(lambda: scores_of(component, problem, y, h, problem.mask))

    def test_gradients(self, problem: TestProblem, component: StructuredScore) -> None:
        component.eval()

        def score(y: torch.Tensor, h: torch.Tensor) -> Any:
            return scores_of(component, problem, y, h, problem.mask)

        check_gradients(score, [problem.sample().y, encoding_of(problem)])

    def test_the_gradient_in_y_is_that_of_autograd(
        self, problem: TestProblem, component: StructuredScore
    ) -> None:
        component.eval()
        y, h = problem.sample().y, encoding_of(problem)
        zero, ones = torch.zeros_like(y[:, :1]), y.new_ones(y.shape[:2])

        def scores(
            y: torch.Tensor,
            mask: Optional[torch.Tensor],
            context: Optional[torch.Tensor],
            scale: float,
        ) -> torch.Tensor:
            return scale * component(y, mask, context)

        def added(add: GradientAdder, y: torch.Tensor) -> ValueAndGradient:
            return add(y, 0 * ones, zero)

        for mask in (None, problem.mask):
            context = component.encode(problem.x, h, mask)
            context = None if context is None else context.detach()
            for scale in (1.0, -0.5):
                add = component.gradient_adder(mask, context, scale)
                check_gradient_function(
                    partial(added, add),
                    partial(scores, mask=mask, context=context, scale=scale),
                    y,
                )
                with torch.no_grad():
                    whole = add(y, ones, zero + 1)
                    part = added(add, y)
                for result, alone in zip(whole, part, strict=True):
                    torch.testing.assert_close(result, 1 + alone)

    def test_every_weight_learns(self, problem: TestProblem, component: StructuredScore) -> None:
        y = problem.sample().y
        score = scores_of(component, problem, y)
        if not score.requires_grad:
            pytest.skip("outputs of this problem are too small for the term")
        (score * torch.randn_like(score)).sum().backward()
        for name, weight in component.named_parameters():
            assert weight.grad is not None and weight.grad.isfinite().all(), name

    def test_outputs_of_other_spaces_are_refused(self, problem: TestProblem, snippet: str) -> None:
        others = set(SPACES) - set(dict(self.cases())[snippet])
        if not others:
            pytest.skip("the term serves in every output space")
        for space in sorted(others):
            other = make_test_problem(space=space, dtype=problem.dtype)
            with pytest.raises((ConfigurationError, ValueError), match="Expected|is required"):
                component = other.build(StructuredScore, snippet)
                scores_of(component, other, other.sample().y, mask=other.mask)
