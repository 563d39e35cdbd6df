"""The cross-entropy of the task network's logits."""

from typing import Any, Optional

import torch

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .loss import Loss, Reduction


@Loss.register("cross-entropy")
class CrossEntropyLoss(Loss):
    """−log p(y* | logits), summed over real positions; one value for each instance and sample.

    # Raises

    `ValueError` if the sampler returns no logits.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.output_space = output_space

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if sample.logits is None:
            raise ValueError(
                "Expected a sampler that returns logits for the loss 'cross-entropy', got one "
                "without; use the sampler 'inference-network'."
            )
        return -self.output_space.log_prob(sample.logits, truth, mask)
