"""The task network for images."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..image_encoders import ImageEncoder
from .task_network import TaskNetwork


@TaskNetwork.register("segmentation")
class SegmentationTaskNetwork(TaskNetwork):
    """logit_p = bᵀ h_p + c for each pixel p of an image, with h_p its encoding in the image.

    # Parameters

    encoder : `ImageEncoder`
        Gives h_p.
    """

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.projection = torch.nn.Conv2d(encoder.output_size, 1, 1)

    @property
    def output_size(self) -> int:
        raise ConfigurationError(
            "Expected outputs whose last dimension has a fixed size, got images of any size from "
            "the task network 'segmentation'; leave out the cost_augmented_network."
        )

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.projection(self.encoder(x))[:, 0]
