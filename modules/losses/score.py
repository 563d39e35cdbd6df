"""The negative score."""

from typing import Any, Optional

import torch

from ..gradients import GradientFunction
from ..sampler_output import SamplerOutput
from .loss import Loss
from .score_network_loss import ScoreNetworkLoss


@Loss.register("score")
class ScoreLoss(ScoreNetworkLoss):
    """−s(x, y) for each proposal y: the objective of the task network in SEAL (Lee et al. 2022)."""

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return -self.score_network(x, sample.y, mask)

    def gradient_function(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        return self.score_network.gradient_function(x, mask, -scale)
