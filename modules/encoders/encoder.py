"""The base of encoders."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common import Registrable

from ..encoded import Encoded


class Encoder(torch.nn.Module, Registrable, ABC):
    """Encode an input x as h `(batch, *position_shape, output_size)`.

    A new modality is a new encoder: the task network projects h to logits, and the score network to
    potentials. `position_dims`, the number of dimensions of `position_shape`, says what one vector
    encodes: an instance (0), a token (1) or a pixel (2).

    A subclass sets `position_dims` and `output_size`, and fills `encode(x, mask) -> h`.
    """

    position_dims: int
    """The number of dimensions between the batch and the vectors of h."""

    output_size: int
    """The size of the vectors of h."""

    takes_encoded = False
    """Whether `encode` is given the `Encoded` of x, with the encodings of other networks."""

    @abstractmethod
    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return h `(batch, *position_shape, output_size)` of x, whose padding `mask` marks."""

    def forward(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return h `(batch, *position_shape, output_size)`.

        # Raises

        `ValueError` where `encode` returns a tensor of another shape.
        """
        h = self.encode(x if self.takes_encoded else Encoded.input(x), mask)
        if h.dim() != self.position_dims + 2 or h.shape[-1] != self.output_size:
            raise ValueError(
                f"Expected {type(self).__name__}.encode to return a tensor (batch, "
                f"{'*position_shape, ' if self.position_dims else ''}output_size) with "
                f"{self.position_dims + 2} dimensions, the last one of {self.output_size}, got "
                f"{tuple(h.shape)}."
            )
        return h
