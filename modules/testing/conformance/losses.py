"""The conformance suite of losses."""

from typing import Callable

import pytest
import torch

from ...losses import Loss
from ...networks import frozen
from ...sampler_output import SamplerOutput
from ..world import World
from .edges import (
    EXTREME,
    check_finite,
    check_low_precision,
    edge_worlds,
    precisions,
)
from .suite import Conformance, check_gradients, draw_logits, needs_dtype, with_padding_changed


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

    def test_saturated_outputs_give_finite_values_and_gradients(
        self, world: World, component: Loss
    ) -> None:
        logits = torch.where(draw_logits(world, 3) > 0, EXTREME, -EXTREME).requires_grad_()
        y = world.output_space.normalize(logits)
        sample = SamplerOutput(y, logits, y.detach().flip(0), torch.zeros(y.shape[:2]))
        for precision in precisions():
            with precision:
                values = component.unreduced(world.x, world.truth, sample)
            check_finite("values", values)
            if values.requires_grad:
                of = [logits, *world.score_network.parameters()]
                gradients = torch.autograd.grad(
                    values.sum(), of, allow_unused=True, retain_graph=True
                )
                check_finite("gradients", *(g for g in gradients if g is not None))

    def outputs(self, world: World, component: Loss) -> torch.Tensor:
        torch.manual_seed(7)
        return component.unreduced(world.x, world.truth, world.sample(), world.mask)

    def test_at_the_edges(self, world: World, snippet: str) -> None:
        for name, edge in edge_worlds(world):
            component = edge.build(Loss, snippet)
            for num_samples in (1, 3):
                sample = edge.sample(num_samples)
                values = component.unreduced(edge.x, edge.truth, sample, edge.mask)
                check_finite(name, values)
                assert len(values) == len(edge.labels), name

    def test_an_instance_alone_has_the_same_loss(
        self, world: World, component: Loss, snippet: str
    ) -> None:
        sample = world.sample()
        together = component.unreduced(world.x, world.truth, sample, world.mask)
        component = world.build(Loss, snippet)
        first = SamplerOutput(*(None if part is None else part[:1] for part in sample))  # type: ignore[arg-type]
        single = component.unreduced(world.instance(0), world.truth[:1], first, world.mask[:1])
        torch.testing.assert_close(single, together[:1])

    def test_low_precision(self, world: World, component: Loss) -> None:
        needs_dtype(world, torch.float32)
        sample = world.sample()
        check_low_precision(lambda: component.unreduced(world.x, world.truth, sample, world.mask))

    def test_gradients_in_the_outputs(self, world: World, component: Loss) -> None:
        needs_dtype(world, torch.float64)
        sample = world.sample()

        def of_outputs(y: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            given = sample._replace(y=y, logits=logits)
            return component.unreduced(world.x, world.truth, given, world.mask)

        assert sample.logits is not None
        with frozen(world.score_network):  # a loss that takes y as a constant then has no gradient
            check_gradients(of_outputs, [sample.y, sample.logits])

    def test_gradients_in_the_weights(self, world: World, component: Loss) -> None:
        needs_dtype(world, torch.float64)
        sample = world.sample()
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
