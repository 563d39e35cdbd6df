"""The loss of a network that is not trained."""

from typing import Any, Optional

import torch

from ..sampler_output import SamplerOutput
from .loss import Loss


@Loss.register("zero")
class ZeroLoss(Loss):
    """0 for every proposal, for a network that is not trained."""

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return sample.y.new_zeros(sample.y.shape[:2])
