"""An example of your own loss: cross-entropy against labels that are smoothed towards uniform."""

from typing import Any, Optional

import torch

from structured_energy.losses import Loss
from structured_energy.output_spaces import OutputSpace
from structured_energy.sampler_output import SamplerOutput


@Loss.register("smoothed-cross-entropy")
class SmoothedCrossEntropyLoss(Loss):
    """−log p of the target (1 − ε) y* + ε u, with u the uniform output."""

    def __init__(
        self, output_space: OutputSpace, smoothing: float = 0.1, log_key: Optional[str] = None
    ) -> None:
        super().__init__(log_key=log_key)
        self.output_space = output_space
        self.smoothing = smoothing

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        uniform = self.output_space.normalize(torch.zeros_like(sample.logits))
        target = (1 - self.smoothing) * truth + self.smoothing * uniform
        return -self.output_space.log_prob(sample.logits, target, mask)
