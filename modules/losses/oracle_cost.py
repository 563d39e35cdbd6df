"""The relaxed oracle cost as a loss."""

from typing import Any, Optional

import torch

from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from .loss import Loss, Reduction


@Loss.register("oracle-cost")
class OracleCostLoss(Loss):
    """D(y*, ŷ), the oracle cost of the relaxed output, as a term of the task network's objective.
    Differentiable through ŷ."""

    def __init__(
        self,
        oracle_value: OracleValue,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.oracle_value = oracle_value

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return self.oracle_value.cost(truth, sample.y, mask)
