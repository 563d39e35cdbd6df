"""A loss that counts only where the margin of the score network is violated."""

from typing import Any, Optional

import torch

from ..logging import LoggedMean
from ..networks import deterministic
from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss


@Loss.register("critical-examples")
class CriticalExamplesLoss(Loss):
    """c · loss, with the reduction of its constituent, and c = 1 where the margin is violated,
    s(x, y*) − s(x, ŷ) < max(α·D, m), otherwise 0.

    D is the oracle cost of the proposal ŷ. Where the truth already scores higher by the margin, the
    proposal is not pushed further. c is a constant: it takes no gradient. A constituent with one
    value for each instance counts where any proposal of the instance violates the margin. The mean
    is over all proposals, so that the loss fades as fewer of them are critical.

    # Parameters

    constituent : `Loss`
        The loss, such as `score` for the task network.
    oracle_cost_weight : `float`
        α.
    margin : `float`
        m, the least margin: with 0 a proposal that equals the truth never counts.
    """

    def __init__(
        self,
        constituent: Loss,
        score_network: ScoreNetwork,
        oracle_value: OracleValue,
        oracle_cost_weight: float = 1.0,
        margin: float = 0.0,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(constituent.reduction, log_key)
        self.constituent = constituent
        self.score_network = score_network
        self.oracle_value = oracle_value
        self.oracle_cost_weight = oracle_cost_weight
        self.margin = margin
        self.adopt(constituent)
        self.logging_buffer["critical"] = LoggedMean()

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        with torch.no_grad(), deterministic(self.score_network):
            scores = self.score_network(x, torch.cat([truth, sample.y], dim=1), mask)
            cost = self.oracle_value.cost(truth, sample.y, mask)
            margin = (self.oracle_cost_weight * cost).clamp(min=self.margin)
            critical = scores[:, :1] - scores[:, 1:] < margin
        self.log("critical", critical)
        values = self.constituent.unreduced(x, truth, sample, mask)
        if values.shape[1] < critical.shape[1]:
            critical = critical.any(dim=1, keepdim=True)
        return values.masked_fill(~critical, 0.0)
