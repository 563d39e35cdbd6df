"""The conformance suite of evaluations."""

from typing import Any, Dict

import torch

from ...evaluations import EvaluationModule
from ...logging import LoggedArray
from ..problem import TestProblem
from .edges import check_finite, edge_problems, make_extreme, precisions
from .suite import Conformance


def evaluated(problem: TestProblem, component: EvaluationModule) -> Dict[str, float]:
    """Return all values of a validation on the problem's batch."""
    labels = problem.labels.masked_fill(~problem.mask, 0)
    component.eval()(problem.x, labels, problem.mask)
    numbers = component.get_all(reset=True)
    values = {name: value for name, value in numbers.items() if isinstance(value, float)}
    return {**values, **component.values(reset=True)}


class EvaluationConformance(Conformance):
    """An evaluation: random numbers of its own, no gradients, padding, edges, resets."""

    base = EvaluationModule
    dtypes = (torch.float32,)  # of training

    def outputs(self, problem: TestProblem, component: Any) -> torch.Tensor:
        return torch.tensor(list(evaluated(problem, component).values()))

    def test_every_value_is_there_and_each_validation_draws_the_same(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        values = evaluated(problem, component)
        known = component.logged_values().items()
        assert values and {n for n, v in known if not isinstance(v, LoggedArray)} <= set(values)
        for name in component.metrics:
            assert any(value.startswith(name) for value in values)
        torch.manual_seed(3)
        assert evaluated(problem, component) == values

    def test_the_batches_of_a_validation_draw_different_numbers(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        drawn = []
        evaluate = component.evaluate

        def drawing(x: Any, labels: torch.Tensor, mask: Any) -> None:
            evaluate(x, labels, mask)
            drawn.append(float(torch.rand(())))

        component.evaluate = drawing  # type: ignore[method-assign]
        for _ in range(2):
            component(problem.x, problem.labels, problem.mask)
        assert len(set(drawn)) == 2

    def test_nothing_else_draws_other_numbers(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        before = torch.get_rng_state()
        evaluated(problem, component)
        assert torch.equal(torch.get_rng_state(), before)

    def test_no_weight_takes_a_gradient_or_changes(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        parameters = [*problem.task_network.parameters(), *problem.score_network.parameters()]
        before = [parameter.detach().clone() for parameter in parameters]
        evaluated(problem, component)
        assert not list(component.parameters())
        for parameter, copy in zip(parameters, before, strict=True):
            assert parameter.requires_grad and parameter.grad is None
            assert torch.equal(parameter, copy)

    def test_unknown_labels_change_nothing(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        values = []
        for value in (0, 1):
            labels = torch.where(problem.mask, problem.labels, value).to(problem.labels.dtype)
            component.eval()(problem.x, labels, problem.mask)
            values.append((component.get_all(reset=True), component.values(reset=True)))
        assert str(values[0]) == str(values[1])

    def test_inside_no_logging_it_does_nothing(
        self, problem: TestProblem, component: EvaluationModule
    ) -> None:
        with component.no_logging():
            component(problem.x, problem.labels, problem.mask)
        assert not component.get_all() and not component.values(reset=True)

    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(EvaluationModule, snippet)
            check_finite(name, self.outputs(edge, component))

    def test_extreme_networks(self, problem: TestProblem, component: EvaluationModule) -> None:
        make_extreme(problem)
        for precision in precisions():
            with precision:
                check_finite("extreme", self.outputs(problem, component))
