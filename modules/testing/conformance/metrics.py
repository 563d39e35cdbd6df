"""The conformance suite of metrics."""

import io
from typing import Dict, Optional

import pytest
import torch
from allennlp.training.metrics import Metric

from ...metrics import StructuredMetric
from ..world import World
from .edges import check_finite, edge_worlds
from .suite import Conformance, with_padding_changed


def probabilities_of(world: World) -> torch.Tensor:
    """Return random probabilities `(batch, *event_shape)`."""
    return world.sample(1).y[:, 0]


def add(
    metric: StructuredMetric,
    world: World,
    probabilities: torch.Tensor,
    rows: Optional[torch.Tensor] = None,
) -> None:
    """Add a batch of the world's instances, or of some of its rows."""
    rows = torch.arange(len(world.labels)) if rows is None else rows
    metric(probabilities[rows], world.labels[rows], 0.5, world.mask[rows])


def by_name(value: object) -> Dict[str, float]:
    """Return the value of a metric as a dictionary."""
    return dict(value) if isinstance(value, dict) else {"": float(value)}  # type: ignore[arg-type]


class MetricConformance(Conformance):
    """A metric: batches add up, padding, the best outputs, checkpoints, weights of instances."""

    base = Metric

    def value_of(self, world: World, snippet: str, probabilities: torch.Tensor) -> Dict[str, float]:
        """Return the values of a new metric for the world's labels."""
        metric = world.build(self.base, snippet)
        add(metric, world, probabilities)
        return by_name(metric.get_metric())

    def test_batches_add_up_in_any_order(
        self, world: World, component: StructuredMetric, snippet: str
    ) -> None:
        probabilities = probabilities_of(world)
        for rows in torch.tensor([[2, 0], [1, 1]]), torch.tensor([[0, 1], [1, 2]]):
            component.reset()
            for batch in rows:
                add(component, world, probabilities, batch)
            whole = world.build(self.base, snippet)
            add(whole, world, probabilities, rows.flatten())
            expected = by_name(whole.get_metric())
            assert by_name(component.get_metric()) == pytest.approx(expected, abs=1e-9)

    def test_padding_changes_nothing(self, world: World, snippet: str) -> None:
        y, labels = world.sample(1).y, world.labels
        found = []
        for value in (0, 1):
            world.labels = torch.where(world.mask, labels, torch.full_like(labels, value))
            probabilities = with_padding_changed(world, y, float(value))[:, 0]
            found.append(self.value_of(world, snippet, probabilities))
        assert found[0] == found[1]

    def test_the_arguments_are_not_changed(self, world: World, component: StructuredMetric) -> None:
        probabilities = probabilities_of(world)
        arguments = (probabilities, world.labels, world.mask)
        before = [tensor.clone() for tensor in arguments]
        add(component, world, probabilities)
        for tensor, copy in zip(arguments, before, strict=True):
            assert torch.equal(tensor, copy)

    def test_no_output_is_better_than_the_truth(self, world: World, snippet: str) -> None:
        best = self.value_of(world, snippet, world.truth[:, 0])
        sign = 1 if world.build(self.base, snippet).higher_is_better else -1
        for probabilities in (probabilities_of(world) for _ in range(20)):
            for name, value in self.value_of(world, snippet, probabilities).items():
                assert sign * value <= sign * best[name] + 1e-9, name

    def test_it_is_asked_often_and_forgets_at_a_reset(
        self, world: World, component: StructuredMetric
    ) -> None:
        for _ in range(2):
            add(component, world, probabilities_of(world))
            first = component.get_metric()
            assert component.has_seen_data and component.get_metric(reset=True) == first
            assert not component.has_seen_data
            with pytest.raises(ValueError, match="Expected data"):
                component.get_metric()

    def test_it_resumes_from_a_checkpoint(
        self, world: World, component: StructuredMetric, snippet: str
    ) -> None:
        probabilities = probabilities_of(world)
        add(component, world, probabilities, torch.tensor([0]))
        file = io.BytesIO()
        torch.save(component.state_dict(), file)
        file.seek(0)
        other = world.build(self.base, snippet)
        other.load_state_dict(torch.load(file))
        for metric in (component, other):
            add(metric, world, probabilities, torch.tensor([1, 2]))
        assert other.get_metric() == component.get_metric()

    def test_the_sums_at_thresholds_are_those_at_each(
        self, world: World, component: StructuredMetric
    ) -> None:
        arguments = (probabilities_of(world), world.labels)
        thresholds = [0.2, 0.5, 0.7]
        together = component.sums_at(*arguments, thresholds, world.mask)
        for i, threshold in enumerate(thresholds):
            for key, value in component.batch_sums(*arguments, threshold, world.mask).items():
                torch.testing.assert_close(together[key][i], value, equal_nan=True)

    def test_an_instance_that_counts_twice_is_there_twice(
        self, world: World, component: StructuredMetric
    ) -> None:
        arguments = (probabilities_of(world), world.labels, 0.5, world.mask)
        sums = component.weighted(component.sums_by_instance(*arguments), torch.tensor([2, 0, 1]))
        add(component, world, arguments[0], torch.tensor([0, 0, 2]))
        assert by_name(component.values(sums)) == pytest.approx(by_name(component.get_metric()))

    def test_at_the_edges(self, world: World, snippet: str) -> None:
        for name, edge in edge_worlds(world):
            values = self.value_of(edge, snippet, probabilities_of(edge))
            check_finite(name, torch.tensor(list(values.values())))

    def test_wrong_shapes_are_refused(self, world: World, component: StructuredMetric) -> None:
        with pytest.raises(ValueError, match="Expected .* got"):
            component(probabilities_of(world), world.labels[:, :-1], 0.5, None)
