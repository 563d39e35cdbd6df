"""The base of structured scores."""

from abc import ABC, abstractmethod
from typing import Optional

import torch
from allennlp.common import Registrable


class StructuredScore(torch.nn.Module, Registrable, ABC):
    """A term s_k(y) of the score over the outputs; higher is better.

    The score network gives its constructor `num_labels`, the size of the last dimension of y, and
    the `output_space`.
    """

    @abstractmethod
    def forward(self, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """The scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`."""
