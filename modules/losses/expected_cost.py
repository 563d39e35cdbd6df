"""The expected oracle cost of the task network, estimated with draws from it."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..logging import LoggedMean
from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .loss import Loss, Reduction


class _DrawsLoss(Loss):
    """The base of losses over draws, with their oracle costs and their differentiable log p."""

    def __init__(
        self,
        output_space: OutputSpace,
        oracle_value: OracleValue,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.output_space = output_space
        self.oracle_value = oracle_value
        self.logging_buffer["oracle_cost"] = LoggedMean()

    def _cost(
        self, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return the oracle costs of the draws, as constants, and log them."""
        cost = self.oracle_value.cost(truth, sample.y, mask).detach()
        self.log("oracle_cost", cost)
        return cost

    def _log_prob(self, sample: SamplerOutput, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return log p of the draws, differentiable in the logits."""
        if sample.logits is None:
            raise ValueError(
                f"Expected a sampler that returns logits for the loss {type(self).__name__}, got "
                "one without; use the sampler 'network-draws'."
            )
        return self.output_space.log_prob(sample.logits, sample.y.detach(), mask)


@Loss.register("minimum-risk")
class MinimumRiskLoss(_DrawsLoss):
    """Σ_k Q_k D_k with Q_k ∝ p(y_k | x)^α, renormalised over the distinct draws (Shen et al. 2016,
    equation 13); one value for each instance.

    # Parameters

    sharpness : `float`
        α.
    include_truth : `bool`
        Whether to add the truth to the draws (Shen et al. 2016, algorithm 1), so that the gradient
        raises its probability even if it was not drawn.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        oracle_value: OracleValue,
        sharpness: float = 1.0,
        include_truth: bool = False,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, oracle_value, reduction, log_key)
        self.sharpness = sharpness
        self.include_truth = include_truth

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        cost = self._cost(truth, sample, mask)
        if self.include_truth and sample.logits is not None:
            logits = torch.cat([sample.logits[:, :1], sample.logits], dim=1)
            y = torch.cat([truth.to(sample.y.dtype), sample.y], dim=1)
            sample = SamplerOutput(y, logits)
            cost = torch.cat([self.oracle_value.cost(truth, truth, mask).detach(), cost], dim=1)
        log_prob = self.sharpness * self._log_prob(sample, mask)
        log_prob = log_prob.masked_fill(self._repeated(sample.y, mask), -torch.inf)
        weight = (log_prob - log_prob.logsumexp(dim=1, keepdim=True)).exp()
        return (weight * cost).sum(dim=1, keepdim=True)

    def _repeated(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return whether each draw equals an earlier one, `(batch, num_samples)`."""
        equal = [
            self.output_space.distance(y, y[:, k : k + 1], mask) == 0 for k in range(y.shape[1])
        ]
        return torch.stack(equal, dim=2).tril(diagonal=-1).any(dim=2)


@Loss.register("policy-gradient")
class PolicyGradientLoss(_DrawsLoss):
    """(D_k − b) log p(y_k | x), whose gradient estimates that of the expected cost (Williams 1992).

    # Parameters

    baseline : `"mean"` or `"none"`
        b: the mean cost of the other draws of the instance, which leaves the gradient unbiased, or
        0.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        oracle_value: OracleValue,
        baseline: Literal["mean", "none"] = "mean",
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, oracle_value, reduction, log_key)
        if baseline not in ("mean", "none"):
            raise ConfigurationError(f"Expected the baseline 'mean' or 'none', got '{baseline}'.")
        self.baseline = baseline

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        cost = self._cost(truth, sample, mask)
        count = cost.shape[1]
        if self.baseline == "mean" and count > 1:
            others = (cost.sum(dim=1, keepdim=True) - cost) / (count - 1)
            cost = cost - others
        return cost * self._log_prob(sample, mask)
