"""The base of task networks."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common import Registrable
from allennlp.training.util import get_batch_size

from ..networks import Network


class TaskNetwork(Network, Registrable, ABC):
    """x to the logits of y, `(batch, *event_shape)`, in one forward pass.

    While the network is frozen, the logits of one x are computed once.
    """

    @property
    @abstractmethod
    def output_size(self) -> int:
        """The size of the last dimension of the event: labels or tags."""

    @abstractmethod
    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """The logits `(batch, *event_shape)`."""

    def forward(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits `(batch, *event_shape)`.

        # Raises

        `ValueError` if `compute` returned another shape.
        """
        logits = self._encoding(x, mask)
        positions = (get_batch_size(x),) if mask is None else tuple(mask.shape)
        if logits.dim() < 2 or logits.shape[: len(positions)] != positions:
            raise ValueError(
                f"Expected {type(self).__name__}.compute to return (batch, *event_shape), which "
                f"begins with {positions} here, got {tuple(logits.shape)}."
            )
        return logits
