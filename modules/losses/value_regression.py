"""Regression of the score network on the oracle value."""

from typing import Any, Literal, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import binary_cross_entropy_with_logits

from ..gradients import GradientFunction, ValueAndGradient
from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss

Objective = Literal["cross-entropy", "squared-error", "squared-error-of-score"]


@Loss.register("value-regression")
class ValueRegressionLoss(ScoreNetworkLoss):
    """The objective of a deep value network (Gygli et al. 2017, equation 5) for each proposal y.

    With the oracle value v* in [0, 1], the score s and v = 1 / (1 + exp(−s)):

    - `cross-entropy`: −v* log v − (1 − v*) log(1 − v)
    - `squared-error`: (v − v*)²
    - `squared-error-of-score`: (s − v*)², for a score that equals the value

    Differentiable through the score network and through y.

    # Parameters

    objective : `str`
        One of the three above.
    """

    logged_means = ("oracle_value", "predicted_value")

    def __init__(
        self,
        score_network: ScoreNetwork,
        oracle_value: OracleValue,
        objective: Objective = "cross-entropy",
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        objectives = ("cross-entropy", "squared-error", "squared-error-of-score")
        if objective not in objectives:
            raise ConfigurationError(
                f"Expected the objective to be one of {objectives}, got '{objective}'."
            )
        self.oracle_value = oracle_value
        self.objective = objective

    def predicted_value(self, score: torch.Tensor) -> torch.Tensor:
        """Return the oracle value that a score predicts."""
        return score if self.objective == "squared-error-of-score" else torch.special.expit(score)

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        score = self.score_network(x, sample.y, mask)
        target = self.oracle_value.value(truth, sample.y, mask)
        self.log("oracle_value", target)
        if self.is_logging:  # false in the steps of a descent, which skip this cost
            self.log("predicted_value", self.predicted_value(score))
        if self.objective == "cross-entropy":
            return binary_cross_entropy_with_logits(score, target, reduction="none")
        return (self.predicted_value(score) - target) ** 2

    def gradient_function(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        """Return the function with the loss L(s, v*) and its gradient ∂L/∂s · ∇s + ∂L/∂v* · ∇v*."""
        of_score = self.score_network.gradient_function(x, mask)
        of_oracle = self.oracle_value.gradient_function(truth, mask)

        def evaluate(y: torch.Tensor) -> ValueAndGradient:
            score, score_gradient = of_score(y)
            target, target_gradient = of_oracle(y)
            loss, in_score, in_target = self._derivatives(score, target, scale)
            shape = score.shape + (1,) * (y.dim() - 2)
            gradient = in_score.view(shape) * score_gradient
            return loss, gradient.addcmul_(in_target.view(shape), target_gradient)

        return evaluate

    def _derivatives(
        self, score: torch.Tensor, target: torch.Tensor, scale: float
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return `scale` times L(s, v*), ∂L/∂s and ∂L/∂v*."""
        value = self.predicted_value(score)
        difference = scale * (value - target)
        if self.objective == "cross-entropy":
            loss = binary_cross_entropy_with_logits(score, target, reduction="none")
            return scale * loss, difference, -scale * score
        loss = difference * (value - target)
        slope = value * (1 - value) if self.objective == "squared-error" else 1.0
        return loss, 2 * difference * slope, -2 * difference


@Loss.register("value")
class ValueLoss(ScoreNetworkLoss):
    """−log v(x, y) with v = 1 / (1 + exp(−s)): the objective of the task network with a deep value
    network (Lee et al. 2022)."""

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return torch.nn.functional.softplus(-self.score_network(x, sample.y, mask))
