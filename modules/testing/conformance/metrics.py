"""The conformance suite of metrics."""

import io
import itertools
from typing import Dict, Optional

import pytest
import torch
from allennlp.training.metrics import Metric

from ...metrics import StructuredMetric
from ..problem import TestProblem
from .edges import check_finite, edge_problems
from .suite import Conformance, with_padding_changed


def probabilities_of(problem: TestProblem) -> torch.Tensor:
    """Return random probabilities `(batch, *event_shape)`."""
    return problem.sample(1).y[:, 0]


def add(
    metric: StructuredMetric,
    problem: TestProblem,
    probabilities: torch.Tensor,
    rows: Optional[torch.Tensor] = None,
    outputs: Optional[torch.Tensor] = None,
) -> None:
    """Add a batch of the problem's instances, or of some of its rows, with given outputs or those
    of the probabilities."""
    rows = torch.arange(len(problem.labels)) if rows is None else rows
    outputs = problem.output_space.decode(probabilities) if outputs is None else outputs
    metric(probabilities[rows], outputs[rows], problem.labels[rows], problem.mask[rows])


def by_name(value: object) -> Dict[str, float]:
    """Return the value of a metric as a dictionary."""
    return dict(value) if isinstance(value, dict) else {"": float(value)}  # type: ignore[arg-type]


class MetricConformance(Conformance):
    """A metric: batches add up, padding, the best outputs, checkpoints, weights of instances."""

    base = Metric
    dtypes = (torch.float32,)  # of training

    def value_of(
        self,
        problem: TestProblem,
        snippet: str,
        probabilities: torch.Tensor,
        outputs: Optional[torch.Tensor] = None,
    ) -> Dict[str, float]:
        """Return the values of a new metric for the problem's labels."""
        metric = problem.build(self.base, snippet)
        add(metric, problem, probabilities, outputs=outputs)
        return by_name(metric.get_metric())

    def test_batches_add_up_in_any_order(
        self, problem: TestProblem, component: StructuredMetric, snippet: str
    ) -> None:
        probabilities = probabilities_of(problem)
        for rows in torch.tensor([[2, 0], [1, 1]]), torch.tensor([[0, 1], [1, 2]]):
            component.reset()
            for batch in rows:
                add(component, problem, probabilities, batch)
            whole = problem.build(self.base, snippet)
            add(whole, problem, probabilities, rows.flatten())
            expected = by_name(whole.get_metric())
            assert by_name(component.get_metric()) == pytest.approx(expected, abs=1e-9)

    def test_padding_changes_nothing(self, problem: TestProblem, snippet: str) -> None:
        y, labels = problem.sample(1).y, problem.labels
        outputs, values = problem.output_space.decode(y[:, 0]), []
        for value in (0, 1):
            padding = torch.full_like(labels, value)
            problem.labels = torch.where(problem.mask, labels, padding)
            probabilities = with_padding_changed(problem, y, float(value))[:, 0]
            padded = torch.where(problem.mask, outputs, padding)
            values.append(self.value_of(problem, snippet, probabilities, padded))
        assert values[0] == values[1]

    def test_the_arguments_are_not_changed(
        self, problem: TestProblem, component: StructuredMetric
    ) -> None:
        probabilities = probabilities_of(problem)
        arguments = (probabilities, problem.labels, problem.mask)
        before = [tensor.clone() for tensor in arguments]
        add(component, problem, probabilities)
        for tensor, copy in zip(arguments, before, strict=True):
            assert torch.equal(tensor, copy)

    def test_no_output_is_better_than_the_truth(self, problem: TestProblem, snippet: str) -> None:
        metric = problem.build(self.base, snippet)
        if not metric.uses_labels:
            pytest.skip("the labels play no part")
        best = self.value_of(problem, snippet, problem.truth[:, 0])
        sign = 1 if metric.higher_is_better else -1
        for probabilities in (probabilities_of(problem) for _ in range(20)):
            for name, value in self.value_of(problem, snippet, probabilities).items():
                assert sign * value <= sign * best[name] + 1e-9, name

    def test_it_is_asked_often_and_forgets_at_a_reset(
        self, problem: TestProblem, component: StructuredMetric
    ) -> None:
        for _ in range(2):
            add(component, problem, probabilities_of(problem))
            first = component.get_metric()
            assert component.has_seen_data and component.get_metric(reset=True) == first
            assert not component.has_seen_data
            with pytest.raises(ValueError, match="Expected data"):
                component.get_metric()

    def test_it_resumes_from_a_checkpoint(
        self, problem: TestProblem, component: StructuredMetric, snippet: str
    ) -> None:
        probabilities = probabilities_of(problem)
        add(component, problem, probabilities, torch.tensor([0]))
        file = io.BytesIO()
        torch.save(component.state_dict(), file)
        file.seek(0)
        other = problem.build(self.base, snippet)
        other.load_state_dict(torch.load(file))
        for metric in (component, other):
            add(metric, problem, probabilities, torch.tensor([1, 2]))
        assert other.get_metric() == component.get_metric()

    def test_the_sums_at_cutoffs_are_those_at_each(
        self, problem: TestProblem, component: StructuredMetric
    ) -> None:
        if not problem.output_space.is_binary:
            pytest.skip("the outputs of this space are not decided by a cutoff")
        probabilities, labels, mask = probabilities_of(problem), problem.labels, problem.mask
        measure = torch.rand_like(probabilities) - 0.5
        cutoffs = [-0.2, 0.0, 0.3]
        together = component.sums_at(probabilities, measure, labels, cutoffs, mask)
        numbers = component.numbers(together)
        assert len(numbers) == len(cutoffs)
        for i, cutoff in enumerate(cutoffs):
            sums = component.batch_sums(probabilities, measure > cutoff, labels, mask)
            for key, value in sums.items():
                torch.testing.assert_close(together[key][i], value, equal_nan=True)
            assert numbers[i] == pytest.approx(component.number(sums), abs=1e-12)

    def test_an_instance_that_counts_twice_is_there_twice(
        self, problem: TestProblem, component: StructuredMetric
    ) -> None:
        probabilities = probabilities_of(problem)
        outputs = problem.output_space.decode(probabilities)
        sums = component.sums_by_instance(probabilities, outputs, problem.labels, problem.mask)
        weighted = component.weighted(sums, torch.tensor([2, 0, 1]))
        add(component, problem, probabilities, torch.tensor([0, 0, 2]))
        assert by_name(component.values(weighted)) == pytest.approx(by_name(component.get_metric()))

    def test_pairs_of_outputs(self, problem: TestProblem, component: StructuredMetric) -> None:
        if not component.uses_predictions:
            pytest.skip("it is a metric of probabilities")
        space = problem.output_space
        truths, outputs = (
            torch.stack([space.decode(y) for y in problem.sample(n).y.unbind(1)], 1) for n in (2, 3)
        )
        values = component.pairwise(truths, outputs, problem.mask)
        assert values.shape == (len(truths), 2, 3)
        for row, i, j in itertools.product(range(len(truths)), range(2), range(3)):
            encoded = space.encode(outputs[[row], j])[:, 0]
            component.reset()
            component(encoded, outputs[[row], j], truths[[row], i], problem.mask[[row]])
            expected = by_name(component.get_metric())[""]
            assert float(values[row, i, j]) == pytest.approx(expected)

    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            values = self.value_of(edge, snippet, probabilities_of(edge))
            check_finite(name, torch.tensor(list(values.values())))

    def test_wrong_shapes_are_refused(
        self, problem: TestProblem, component: StructuredMetric
    ) -> None:
        probabilities, labels = probabilities_of(problem), problem.labels
        outputs = problem.output_space.decode(probabilities)
        with pytest.raises(ValueError, match="Expected .* got"):
            component(probabilities, outputs, labels[:, :-1])
        with pytest.raises(ValueError, match="Expected .* got"):
            component(probabilities, outputs[:, :-1], labels)
