"""The conformance suite of losses."""

from typing import Callable

import pytest
import torch

from ...losses import Loss
from ...networks import frozen
from ...sampler_output import SamplerOutput
from ..world import World
from .suite import Conformance, check_gradients, draw_logits, with_padding_changed


class LossConformance(Conformance):
    """A loss: shapes, reductions, gradients, padding, extreme values, logging."""

    base = Loss

    def test_shape_and_dtype(self, world: World, component: Loss) -> None:
        values = component.unreduced(world.x, world.truth, world.sample(), world.mask)
        assert values.shape in [(3, 3), (3, 1)]
        assert values.dtype == world.dtype

    def test_reduction(self, world: World, component: Loss) -> None:
        sample = world.sample()
        values = component.unreduced(world.x, world.truth, sample)
        expected = values.sum() if component.reduction == "sum" else values.mean()
        result = component(world.x, world.truth, sample)
        torch.testing.assert_close(result, values if component.reduction == "none" else expected)

    def test_the_mean_is_logged(self, world: World, component: Loss) -> None:
        values = component.unreduced(world.x, world.truth, world.sample())
        assert component.get("value") == pytest.approx(values.mean().item(), rel=1e-5, abs=1e-6)

    def test_nothing_is_logged_inside_no_logging(self, world: World, component: Loss) -> None:
        with component.no_logging():
            component(world.x, world.truth, world.sample())
        assert component.get_all() == {}

    def test_padding_changes_nothing(self, world: World, component: Loss) -> None:
        sample = world.sample()

        def loss(value: float) -> torch.Tensor:
            fields = {
                name: with_padding_changed(world, getattr(sample, name), value)
                for name in ("y", "logits", "cost_augmented")
            }
            truth = with_padding_changed(world, world.truth, value)
            return component.unreduced(world.x, truth, sample._replace(**fields), world.mask)

        torch.testing.assert_close(loss(0.0), loss(1.0))

    def test_saturated_outputs_give_finite_values(self, world: World, component: Loss) -> None:
        logits = torch.where(draw_logits(world, 3) > 0, 1e4, -1e4)
        y = world.output_space.normalize(logits)
        sample = SamplerOutput(y, logits, y.flip(0), torch.zeros(y.shape[:2]))
        assert torch.isfinite(component.unreduced(world.x, world.truth, sample)).all()

    def test_gradients(self, world: World, component: Loss) -> None:
        if world.dtype != torch.float64:
            return
        sample = world.sample()

        def of_outputs(y: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            given = sample._replace(y=y, logits=logits)
            return component.unreduced(world.x, world.truth, given, world.mask)

        assert sample.logits is not None
        with frozen(world.score_network):  # a loss that takes y as a constant then has no gradient
            check_gradients(of_outputs, [sample.y, sample.logits])
        call = _Call(
            world.score_network,
            lambda: component.unreduced(world.x, world.truth, sample, world.mask),
        )
        names = [name for name, _ in call.named_parameters()]

        def of_weights(*weights: torch.Tensor) -> torch.Tensor:
            return torch.func.functional_call(call, dict(zip(names, weights, strict=True)), ())

        check_gradients(of_weights, list(call.parameters()))


class _Call(torch.nn.Module):
    """A function of a network's weights."""

    def __init__(self, network: torch.nn.Module, function: Callable[[], torch.Tensor]) -> None:
        super().__init__()
        self.network = network
        self.function = function

    def forward(self) -> torch.Tensor:
        return self.function()
