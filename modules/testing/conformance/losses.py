"""The conformance suite of losses."""

from typing import Any, Callable, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ...encoded import Encoding
from ...losses import Loss
from ...networks import frozen
from ...sampler_output import SamplerOutput
from ..problem import TestProblem
from .edges import (
    EXTREME,
    check_finite,
    check_low_precision,
    edge_problems,
    precisions,
)
from .suite import (
    DTYPES,
    Conformance,
    check_gradient_function,
    check_gradients,
    draw_logits,
    in_dtypes,
    with_padding_changed,
)


class LossConformance(Conformance):
    """A loss: shapes, reductions, gradients, padding, extreme values, logging."""

    base = Loss

    @in_dtypes(*DTYPES)
    def test_shape_and_dtype(self, problem: TestProblem, component: Loss) -> None:
        values = component.unreduced(problem.x, problem.truth, problem.sample(), problem.mask)
        assert values.shape in [(3, 3), (3, 1)]
        assert values.dtype == problem.dtype

    def test_reduction(self, problem: TestProblem, component: Loss) -> None:
        sample = problem.sample()
        values = component.unreduced(problem.x, problem.truth, sample)
        expected = values.sum() if component.reduction == "sum" else values.mean()
        result = component(problem.x, problem.truth, sample)
        torch.testing.assert_close(result, values if component.reduction == "none" else expected)

    def test_the_mean_is_logged(self, problem: TestProblem, component: Loss) -> None:
        values = component.unreduced(problem.x, problem.truth, problem.sample())
        assert component.get("value") == pytest.approx(values.mean().item(), rel=1e-5, abs=1e-6)

    def test_nothing_is_logged_inside_no_logging(
        self, problem: TestProblem, component: Loss
    ) -> None:
        with component.no_logging():
            component(problem.x, problem.truth, problem.sample())
        assert component.get_all() == {}

    def test_padding_changes_nothing(self, problem: TestProblem, component: Loss) -> None:
        sample = problem.sample()

        def loss(value: float) -> torch.Tensor:
            fields = {
                name: with_padding_changed(problem, getattr(sample, name), value)
                for name in ("y", "logits", "cost_augmented")
            }
            truth = with_padding_changed(problem, problem.truth, value)
            return component.unreduced(problem.x, truth, sample._replace(**fields), problem.mask)

        torch.testing.assert_close(loss(0.0), loss(1.0))

    def test_one_encoding_in_training(
        self, problem: TestProblem, component: Loss, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Scores that a loss compares have the same dropout."""
        network = problem.score_network.train()
        original, masks = network.encode, []

        def counted(x: Any, mask: Optional[torch.Tensor]) -> Encoding:
            if network.training:
                masks.append(mask)
            return original(x, mask)

        monkeypatch.setattr(network, "encode", counted)
        component.unreduced(problem.x, problem.truth, problem.sample(), problem.mask)
        assert len(masks) <= 1

    @in_dtypes(torch.float32)
    def test_saturated_outputs_give_finite_values_and_gradients(
        self, problem: TestProblem, component: Loss
    ) -> None:
        logits = torch.where(draw_logits(problem, 3) > 0, EXTREME, -EXTREME).requires_grad_()
        y = problem.output_space.normalize(logits)
        sample = SamplerOutput(y, logits, y.detach().flip(0), torch.zeros(y.shape[:2]))
        for precision in precisions():
            with precision:
                values = component.unreduced(problem.x, problem.truth, sample)
            check_finite("values", values)
            if values.requires_grad:
                of = [logits, *problem.score_network.parameters()]
                gradients = torch.autograd.grad(
                    values.sum(), of, allow_unused=True, retain_graph=True
                )
                check_finite("gradients", *(g for g in gradients if g is not None))

    def outputs(self, problem: TestProblem, component: Loss) -> torch.Tensor:
        torch.manual_seed(7)
        return component.unreduced(problem.x, problem.truth, problem.sample(), problem.mask)

    @in_dtypes(torch.float32)
    def test_at_the_edges(self, problem: TestProblem, snippet: str) -> None:
        for name, edge in edge_problems(problem):
            component = edge.build(Loss, snippet)
            for num_samples in (1, 3):
                sample = edge.sample(num_samples)
                values = component.unreduced(edge.x, edge.truth, sample, edge.mask)
                check_finite(name, values)
                assert len(values) == len(edge.labels), name

    def test_an_instance_alone_has_the_same_loss(
        self, problem: TestProblem, component: Loss, snippet: str
    ) -> None:
        sample = problem.sample()
        together = component.unreduced(problem.x, problem.truth, sample, problem.mask)
        component = problem.build(Loss, snippet)
        first = SamplerOutput(*(None if part is None else part[:1] for part in sample))  # type: ignore[arg-type]
        single = component.unreduced(
            problem.instance(0), problem.truth[:1], first, problem.mask[:1]
        )
        torch.testing.assert_close(single, together[:1])

    @in_dtypes(torch.float32)
    def test_low_precision(self, problem: TestProblem, component: Loss) -> None:
        sample = problem.sample()
        check_low_precision(
            lambda: component.unreduced(problem.x, problem.truth, sample, problem.mask)
        )

    def test_gradients_in_the_outputs(self, problem: TestProblem, component: Loss) -> None:
        sample = problem.sample()

        def of_outputs(y: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            given = sample._replace(y=y, logits=logits)
            return component.unreduced(problem.x, problem.truth, given, problem.mask)

        assert sample.logits is not None
        with frozen(
            problem.score_network
        ):  # a loss that takes y as a constant then has no gradient
            check_gradients(of_outputs, [sample.y, sample.logits])

    def test_the_gradient_for_a_descent_is_that_of_autograd(
        self, problem: TestProblem, component: Loss
    ) -> None:
        y = problem.sample().y

        def values(y: torch.Tensor) -> torch.Tensor:
            return component.unreduced(problem.x, problem.truth, SamplerOutput(y), problem.mask)

        problem.score_network.eval()
        with frozen(problem.score_network), component.no_logging():
            try:
                reaches = values(y.detach().requires_grad_()).requires_grad
            except (AssertionError, AttributeError, TypeError, ValueError):
                pytest.skip("the loss needs more than outputs, which a descent does not have")
            function = component.gradient_function(problem.x, problem.truth, problem.mask)
            if not reaches:
                with pytest.raises(ConfigurationError, match="as a constant"), torch.no_grad():
                    function(y)
                return
            scaled = component.gradient_function(problem.x, problem.truth, problem.mask, -2.0)
            check_gradient_function(function, values, y)
            check_gradient_function(scaled, lambda y: -2 * values(y), y)

    def test_gradients_in_the_weights(self, problem: TestProblem, component: Loss) -> None:
        sample = problem.sample()
        call = _Call(
            problem.score_network,
            lambda: component.unreduced(problem.x, problem.truth, sample, problem.mask),
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
