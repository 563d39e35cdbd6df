"""The negative of another loss."""

from typing import Any, Optional

import torch

from ..gradients import GradientFunction
from ..sampler_output import SamplerOutput
from .loss import Loss


@Loss.register("negative")
class NegativeLoss(Loss):
    """−loss, with the reduction of its constituent.

    # Parameters

    constituent : `Loss`
        The loss.
    """

    def __init__(self, constituent: Loss, log_key: Optional[str] = None) -> None:
        super().__init__(constituent.reduction, log_key)
        self.constituent = constituent
        self.adopt(constituent)

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return -self.constituent.unreduced(x, truth, sample, mask)

    def gradient_function(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        return self.constituent.gradient_function(x, truth, mask, -scale)
