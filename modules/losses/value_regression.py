"""Regression of the score network on the oracle value."""

from typing import Any, Literal, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from ..gradients import GradientFunction, ValueAndGradient
from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss

Objective = Literal["cross-entropy", "squared-error", "squared-error-of-score"]
ValueObjective = Literal["log-value", "value"]


@Loss.register("value-regression")
class ValueRegressionLoss(ScoreNetworkLoss):
    """The objective of a deep value network (Gygli et al. 2017, equation 5) for each proposal y.

    With the oracle value v* in [0, 1], the score s and v = 1 / (1 + exp(−s)):

    - `cross-entropy`: −v* log v − (1 − v*) log(1 − v)
    - `squared-error`: (v − v*)²
    - `squared-error-of-score`: (s − v*)², for a score that equals the value

    A sampler with a separate cost-augmented network adds the same for its output ŷ, and
    `include_truth` for the truth. Differentiable through the score network, y and ŷ.

    # Parameters

    objective : `str`
        One of the three above.
    include_truth : `bool`
        Whether to learn the value of the truth as well, `upper_bound`, beside each proposal.
    """

    logged_means = ("oracle_value", "predicted_value")

    def __init__(
        self,
        score_network: ScoreNetwork,
        oracle_value: OracleValue,
        objective: Objective = "cross-entropy",
        include_truth: bool = False,
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
        self.include_truth = include_truth

    def predicted_value(self, score: torch.Tensor) -> torch.Tensor:
        """Return the oracle value that a score predicts."""
        return score if self.objective == "squared-error-of-score" else torch.special.expit(score)

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        outputs = [sample.y] if sample.cost_augmented is None else [sample.y, sample.cost_augmented]
        if self.include_truth:
            outputs.append(truth.to(sample.y.dtype))
        y = torch.cat(outputs, dim=1) if len(outputs) > 1 else sample.y
        score = self.score_network(x, y, mask)
        target = self.oracle_value.value(truth, y, mask)
        self.log("oracle_value", target)
        if self.is_logging:  # false in the steps of a descent, which skip this cost
            self.log("predicted_value", self.predicted_value(score))
        if self.objective == "cross-entropy":
            loss = binary_cross_entropy_with_logits(score, target, reduction="none")
        else:
            loss = (self.predicted_value(score) - target) ** 2
        parts = loss.split([output.shape[1] for output in outputs], dim=1)
        return sum(parts[1:], parts[0])

    def gradient_function(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        """Return the function with the loss L(s, v*) and its gradient ∂L/∂s · ∇s + ∂L/∂v* · ∇v*."""
        if self.include_truth:
            return self.by_autograd(x, truth, mask, scale)
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
    """The objective of the task network with a deep value network (Lee et al. 2022), with the value
    v = 1 / (1 + exp(−s)) of each proposal y.

    - `log-value`: −log v(x, y)
    - `value`: −v(x, y), as in the code published with the paper, whose gradient vanishes where the
      value network is sure, at v near 0 as well as near 1

    A sampler with a separate cost-augmented network adds the same for its output ŷ, minus w·D(ŷ)
    with the oracle cost D: with w > 0, that network looks for the outputs whose value is
    overestimated (Tu et al. 2020 for the score). Differentiable through y and ŷ.

    # Parameters

    objective : `"log-value"` or `"value"`
        One of the two above.
    oracle_cost_weight : `float`
        w, which needs an oracle value of the model where it is not 0.
    """

    def __init__(
        self,
        score_network: ScoreNetwork,
        oracle_value: Optional[OracleValue] = None,
        objective: ValueObjective = "log-value",
        oracle_cost_weight: float = 0.0,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        if objective not in ("log-value", "value"):
            raise ConfigurationError(
                "Expected the objective 'log-value' or 'value' in the loss 'value', got "
                f"'{objective}'."
            )
        if oracle_cost_weight and oracle_value is None:
            raise ConfigurationError(
                "Expected an oracle_value of the model for the loss 'value' with "
                f"oracle_cost_weight {oracle_cost_weight}, got none; add it, or set the weight to "
                "0."
            )
        self.oracle_value = oracle_value
        self.objective = objective
        self.oracle_cost_weight = oracle_cost_weight

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        augmented = sample.cost_augmented
        y = sample.y if augmented is None else torch.cat([sample.y, augmented], dim=1)
        score = self.score_network(x, y, mask)
        loss = softplus(-score) if self.objective == "log-value" else -torch.special.expit(score)
        if augmented is None:
            return loss
        of_inference, of_augmented = loss.chunk(2, dim=1)
        loss = of_inference + of_augmented
        if self.oracle_cost_weight and self.oracle_value is not None:
            cost = self.oracle_value.cost(truth, augmented, mask)
            loss = loss - self.oracle_cost_weight * cost
        return loss
