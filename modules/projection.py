"""The layer from encodings to logits."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError

from .encoders import Encoder
from .output_spaces import OutputSpace


def logits_size(encoder: Encoder, output_space: OutputSpace, num_labels: int) -> Optional[int]:
    """Return the size of the logits of one vector of `encoder`; `None` for one logit without a
    dimension.

    # Raises

    `ConfigurationError` where the encoder does not fit the output space; the message names both.
    """
    try:
        return output_space.logits_size(encoder.position_dims, num_labels)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error.message} The encoder is {type(encoder).__name__}, the output space "
            f"{type(output_space).__name__}; choose another one of the two."
        ) from None


class Projection(torch.nn.Linear):
    """logits = W h + c `(batch, *event_shape)` of h `(batch, *position_shape, output_size)`.

    The output space and the positions of the encoder decide their number: the vector of an instance
    has a logit for each label, the vector of a token one for each tag, the vector of a pixel of a
    binary mask a single one, without a last dimension.

    # Raises

    `ConfigurationError` where the encoder does not fit the output space.
    """

    def __init__(self, encoder: Encoder, output_space: OutputSpace, num_labels: int) -> None:
        size = logits_size(encoder, output_space, num_labels)
        super().__init__(encoder.output_size, 1 if size is None else size)
        self.squeezed = size is None

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Return the logits of h."""
        logits = super().forward(h)
        return logits.squeeze(-1) if self.squeezed else logits
