"""The conformance suite of encoders."""

from typing import Any, Tuple

import pytest
import torch
from torch.func import functional_call

from ...encoders import Encoder
from ..world import World
from .edges import check_finite, check_low_precision, edge_worlds
from .suite import Conformance, check_gradients, needs_dtype


class EncoderConformance(Conformance):
    """An encoder: shapes, instances that do not see each other, padding, gradients."""

    base = Encoder

    def expected_shape(self, world: World, component: Encoder) -> Tuple[int, ...]:
        """Return the shape of h."""
        positions = world.mask.shape[1:] if component.position_dims else ()
        return (len(world.mask), *positions, component.output_size)

    def test_shape_and_dtype(self, world: World, component: Encoder) -> None:
        for mask in (world.mask, None):
            h = component(world.x, mask)
            assert h.shape == self.expected_shape(world, component)
            assert h.dtype == world.dtype

    def test_instances_are_independent(self, world: World, component: Encoder) -> None:
        component.eval()
        world.task_network.eval()
        together = component(world.x, world.mask)
        for i in range(len(together)):
            single = component(world.instance(i), world.mask[i : i + 1])
            torch.testing.assert_close(single[0], together[i])

    def test_more_padding_changes_nothing(self, world: World, component: Encoder) -> None:
        if not isinstance(world.x, dict):
            pytest.skip("only tokens are padded to the longest of a batch")
        component.eval()
        world.task_network.eval()
        words = world.x["tokens"]["tokens"]
        longer = {"tokens": {"tokens": torch.nn.functional.pad(words, (0, 3))}}
        h = component(world.x, world.mask)
        other = component(longer, torch.nn.functional.pad(world.mask, (0, 3)))
        if component.position_dims:
            h, other = h[world.mask], other[:, : words.shape[1]][world.mask]
        torch.testing.assert_close(h, other)

    def outputs(self, world: World, component: Encoder) -> torch.Tensor:
        return component(world.x, world.mask)

    def test_at_the_edges(self, world: World, snippet: str) -> None:
        for name, edge in edge_worlds(world):
            component = edge.build(Encoder, snippet)
            h = component(edge.x, edge.mask)
            assert h.shape == self.expected_shape(edge, component), name
            check_finite(name, h)

    def test_low_precision(self, world: World, component: Encoder) -> None:
        needs_dtype(world, torch.float32)
        component.eval()
        world.task_network.eval()
        check_low_precision(lambda: component(world.x, world.mask))

    def test_gradients(self, world: World, component: Encoder) -> None:
        needs_dtype(world, torch.float64)
        component.eval()
        weights = {key: value for key, value in component.named_parameters() if value.requires_grad}
        if not weights:
            pytest.skip("it has no weights that are trained")

        def h(*values: torch.Tensor) -> Any:
            by_name = dict(zip(weights, values, strict=True))
            return functional_call(component, by_name, (world.x, world.mask))

        check_gradients(h, list(weights.values()))

    def test_every_weight_that_is_trained_learns(self, world: World, component: Encoder) -> None:
        weights = {key: value for key, value in component.named_parameters() if value.requires_grad}
        if not weights:
            pytest.skip("it has no weights that are trained")
        h = component(world.x, world.mask)
        (h * torch.randn_like(h)).sum().backward()
        for name, weight in weights.items():
            assert weight.grad is not None and weight.grad.abs().sum() > 0, name
