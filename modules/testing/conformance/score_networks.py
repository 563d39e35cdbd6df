"""The conformance suite of score networks."""

from functools import partial
from typing import Any, List, Optional

import pytest
import torch

from ...encoded import Encoded, Encoding
from ...networks import frozen
from ...score_networks import ScoreNetwork
from ..problem import TestProblem
from .edges import check_finite, check_low_precision, edge_problems
from .suite import (
    DTYPES,
    Conformance,
    check_gradient_function,
    check_gradients,
    in_dtypes,
    with_padding_changed,
)


class ScoreNetworkConformance(Conformance):
    """A score network: shapes, samples and instances that do not see each other, gradients,
    padding, and encodings that are computed once."""

    base = ScoreNetwork

    @in_dtypes(*DTYPES)
    def test_shape_and_dtype(self, problem: TestProblem, component: ScoreNetwork) -> None:
        score = component(problem.x, problem.sample().y, problem.mask)
        assert score.shape == (3, 3)
        assert score.dtype == problem.dtype

    def test_samples_and_instances_are_independent(
        self, problem: TestProblem, component: ScoreNetwork
    ) -> None:
        component.eval()
        y = problem.sample().y
        together = component(problem.x, y)
        for i in range(3):
            for j in range(3):
                single = component(problem.instance(i), y[i : i + 1, j : j + 1])
                torch.testing.assert_close(single[0, 0], together[i, j])

    def test_wrong_shapes_are_refused(self, problem: TestProblem, component: ScoreNetwork) -> None:
        with pytest.raises(ValueError, match="Expected y of shape"):
            component(problem.x, problem.sample().y[:2])

    def test_padding_changes_nothing(self, problem: TestProblem, component: ScoreNetwork) -> None:
        y = problem.sample().y
        first, second = (with_padding_changed(problem, y, value) for value in (0.0, 1.0))
        torch.testing.assert_close(
            component(problem.x, first, problem.mask), component(problem.x, second, problem.mask)
        )

    def outputs(self, problem: TestProblem, component: ScoreNetwork) -> torch.Tensor:
        torch.manual_seed(7)
        return component(problem.x, problem.sample().y, problem.mask)

    @in_dtypes(torch.float32)
    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(ScoreNetwork, snippet)
            for num_samples in (1, 3):
                score = component(edge.x, edge.sample(num_samples).y, edge.mask)
                assert score.shape == (len(edge.labels), num_samples), name
                check_finite(name, score)

    @in_dtypes(torch.float32)
    def test_low_precision(self, problem: TestProblem, component: ScoreNetwork) -> None:
        y = problem.sample().y
        component.eval()
        check_low_precision(lambda: component(problem.x, y, problem.mask))

    def test_gradients(self, problem: TestProblem, component: ScoreNetwork) -> None:
        check_gradients(lambda y: component(problem.x, y, problem.mask), [problem.sample().y])

    def test_the_gradient_in_y_is_that_of_autograd(
        self, problem: TestProblem, component: ScoreNetwork
    ) -> None:
        component.eval()
        y = problem.sample().y

        def scores(y: torch.Tensor, mask: Optional[torch.Tensor], scale: float) -> torch.Tensor:
            return scale * component(problem.x, y, mask)

        for mask in (None, problem.mask):
            for scale in (1.0, -0.5):
                check_gradient_function(
                    component.gradient_function(problem.x, mask, scale),
                    partial(scores, mask=mask, scale=scale),
                    y,
                )
        function = component.gradient_function(problem.x)
        with pytest.raises(ValueError, match="Expected y of shape"), torch.no_grad():
            function(y[:2])

    def test_encodings_are_computed_once_while_frozen(
        self, problem: TestProblem, component: ScoreNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: List[Any] = []
        original = component.encode

        def counted(x: Any, mask: Optional[torch.Tensor]) -> Encoding:
            calls.append(x)
            return original(x, mask)

        monkeypatch.setattr(component, "encode", counted)
        y = problem.sample().y
        expected = component.eval()(problem.x, y, problem.mask)
        x = Encoded(problem.x, problem.mask)
        rows = x.rows(torch.tensor([2, 0]))
        with frozen(component.train()):
            for _ in range(3):
                torch.testing.assert_close(component(x, y, problem.mask), expected)
            torch.testing.assert_close(component(rows, y[[2, 0]], rows.mask), expected[[2, 0]])
        assert len(calls) == 2
        component(x, y, problem.mask)
        component(x, y, problem.mask)
        assert len(calls) == 4
