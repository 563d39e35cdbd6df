"""The conformance suite of score networks."""

from typing import Any, List, Optional

import pytest
import torch

from ...encoded import Encoded, Encoding
from ...networks import frozen
from ...score_networks import ScoreNetwork
from ..world import World
from .edges import check_finite, check_low_precision, edge_worlds
from .suite import Conformance, check_gradients, needs_dtype, with_padding_changed


class ScoreNetworkConformance(Conformance):
    """A score network: shapes, samples and instances that do not see each other, gradients,
    padding, and encodings that are computed once."""

    base = ScoreNetwork

    def test_shape_and_dtype(self, world: World, component: ScoreNetwork) -> None:
        score = component(world.x, world.sample().y, world.mask)
        assert score.shape == (3, 3)
        assert score.dtype == world.dtype

    def test_samples_and_instances_are_independent(
        self, world: World, component: ScoreNetwork
    ) -> None:
        component.eval()
        y = world.sample().y
        together = component(world.x, y)
        for i in range(3):
            for j in range(3):
                single = component(world.instance(i), y[i : i + 1, j : j + 1])
                torch.testing.assert_close(single[0, 0], together[i, j])

    def test_wrong_shapes_are_refused(self, world: World, component: ScoreNetwork) -> None:
        with pytest.raises(ValueError, match="Expected y of shape"):
            component(world.x, world.sample().y[:2])

    def test_padding_changes_nothing(self, world: World, component: ScoreNetwork) -> None:
        y = world.sample().y
        first, second = (with_padding_changed(world, y, value) for value in (0.0, 1.0))
        torch.testing.assert_close(
            component(world.x, first, world.mask), component(world.x, second, world.mask)
        )

    def outputs(self, world: World, component: ScoreNetwork) -> torch.Tensor:
        torch.manual_seed(7)
        return component(world.x, world.sample().y, world.mask)

    def test_at_the_edges(self, world: World, snippet: str) -> None:
        for name, edge in edge_worlds(world):
            component = edge.build(ScoreNetwork, snippet)
            for num_samples in (1, 3):
                score = component(edge.x, edge.sample(num_samples).y, edge.mask)
                assert score.shape == (len(edge.labels), num_samples), name
                check_finite(name, score)

    def test_low_precision(self, world: World, component: ScoreNetwork) -> None:
        needs_dtype(world, torch.float32)
        y = world.sample().y
        component.eval()
        check_low_precision(lambda: component(world.x, y, world.mask))

    def test_gradients(self, world: World, component: ScoreNetwork) -> None:
        needs_dtype(world, torch.float64)
        check_gradients(lambda y: component(world.x, y, world.mask), [world.sample().y])

    def test_encodings_are_computed_once_while_frozen(
        self, world: World, component: ScoreNetwork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: List[Any] = []
        original = component.encode

        def counted(x: Any, mask: Optional[torch.Tensor]) -> Encoding:
            calls.append(x)
            return original(x, mask)

        monkeypatch.setattr(component, "encode", counted)
        y = world.sample().y
        expected = component.eval()(world.x, y, world.mask)
        x = Encoded(world.x, world.mask)
        rows = x.rows(torch.tensor([2, 0]))
        with frozen(component.train()):
            for _ in range(3):
                torch.testing.assert_close(component(x, y, world.mask), expected)
            torch.testing.assert_close(component(rows, y[[2, 0]], rows.mask), expected[[2, 0]])
        assert len(calls) == 2
        component(x, y, world.mask)
        component(x, y, world.mask)
        assert len(calls) == 4
