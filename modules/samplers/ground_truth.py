"""The true output as a sample."""

from typing import Any, Optional

import torch

from ..sampler_output import SamplerOutput
from .sampler import Sampler


@Sampler.register("ground-truth")
class GroundTruthSampler(Sampler):
    """y = y*, the only proposal, for losses that learn from the truth. It cannot predict.

    # Raises

    `ValueError` without labels.
    """

    has_logits = False

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        if truth is None:
            raise ValueError(
                f"Expected labels for {type(self).__name__}, got none; it cannot predict: "
                "choose another sampler as 'inference' of the model."
            )
        return SamplerOutput(truth)
