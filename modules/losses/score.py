"""The negative score."""

from typing import Any, Optional

import torch

from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction


@Loss.register("score")
class ScoreLoss(Loss):
    """−s(x, y) of each proposal y: the task network's objective in SEAL (Lee et al. 2022)."""

    score_network: ScoreNetwork

    def __init__(
        self,
        score_network: ScoreNetwork,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.score_network = score_network

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return -self.score_network(x, sample.y, mask)
