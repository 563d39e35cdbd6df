"""The conformance suite of structured scores."""

from typing import Any, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ...score_networks import StructuredScore
from ..world import SPACES, World, make_world
from .edges import check_finite, check_low_precision, edge_worlds
from .suite import Conformance, check_gradients, reloaded, with_padding_changed


def scores_of(
    component: StructuredScore,
    world: World,
    y: torch.Tensor,
    h: Optional[torch.Tensor] = None,
    mask: Optional[torch.Tensor] = None,
) -> torch.Tensor:
    """Return the scores of y, with the encoding h of the world's x."""
    if h is None:
        h = encoding_of(world)
    return component(y, mask, component.encode(world.x, h, mask))


def encoding_of(world: World) -> torch.Tensor:
    """Return the encoding of the world's x by its task network."""
    return world.task_network.hidden(world.x, world.mask).detach()


class StructuredScoreConformance(Conformance):
    """A term of the score: shapes, samples and instances that do not see each other, padding,
    gradients in y and in the encoding, and outputs that it refuses."""

    base = StructuredScore

    def test_shape_and_dtype(self, world: World, component: StructuredScore) -> None:
        score = scores_of(component, world, world.sample().y, mask=world.mask)
        assert score.shape == (3, 3)
        assert score.dtype == world.dtype

    def test_samples_and_instances_are_independent(
        self, world: World, component: StructuredScore
    ) -> None:
        component.eval()
        y, h = world.sample().y, encoding_of(world)
        together = scores_of(component, world, y, h, world.mask)
        for i in range(3):
            mask = world.mask[i : i + 1]
            context = component.encode(world.instance(i), h[i : i + 1], mask)
            for j in range(3):
                alone = component(y[i : i + 1, j : j + 1], mask, context)
                torch.testing.assert_close(alone[0, 0], together[i, j])

    def test_padding_changes_nothing(self, world: World, component: StructuredScore) -> None:
        component.eval()
        y, h = world.sample().y, encoding_of(world)
        first, second = (
            scores_of(component, world, with_padding_changed(world, y, value), h, world.mask)
            for value in (0.0, 1.0)
        )
        torch.testing.assert_close(first, second)

    def test_at_the_edges(self, world: World) -> None:
        for name, edge in edge_worlds(world):
            component = edge.build(StructuredScore, self.config)
            for num_samples in (1, 3):
                y = edge.sample(num_samples).y
                score = scores_of(component, edge, y, mask=edge.mask)
                assert score.shape == (len(edge.labels), num_samples), name
                check_finite(name, score)

    def test_low_precision(self, world: World, component: StructuredScore) -> None:
        if world.dtype != torch.float32:
            pytest.skip("autocast is for single precision")
        component.eval()
        y, h = world.sample().y, encoding_of(world)
        check_low_precision(lambda: scores_of(component, world, y, h, world.mask))

    def test_gradients(self, world: World, component: StructuredScore) -> None:
        if world.dtype != torch.float64:
            pytest.skip("finite differences need double precision")
        component.eval()

        def score(y: torch.Tensor, h: torch.Tensor) -> Any:
            return scores_of(component, world, y, h, world.mask)

        check_gradients(score, [world.sample().y, encoding_of(world)])

    def test_every_weight_learns(self, world: World, component: StructuredScore) -> None:
        y = world.sample().y
        score = scores_of(component, world, y)
        if not score.requires_grad:
            pytest.skip("outputs of this world are too small for the term")
        (score * torch.randn_like(score)).sum().backward()
        for name, weight in component.named_parameters():
            assert weight.grad is not None and weight.grad.isfinite().all(), name

    def test_saved_and_loaded_outputs_are_the_same(
        self, world: World, component: StructuredScore
    ) -> None:
        component.eval()
        y = world.sample().y
        other = reloaded(component, world.build(StructuredScore, self.config)).eval()
        torch.testing.assert_close(
            scores_of(other, world, y, mask=world.mask),
            scores_of(component, world, y, mask=world.mask),
            rtol=0,
            atol=0,
        )

    @pytest.mark.parametrize("space", SPACES)
    def test_outputs_of_other_spaces_are_refused(self, space: str) -> None:
        if space in self.spaces:
            pytest.skip("the term is for this space")
        world = make_world(space=space)
        with pytest.raises((ConfigurationError, ValueError), match="Expected|is required"):
            component = world.build(StructuredScore, self.config)
            scores_of(component, world, world.sample().y, mask=world.mask)
