"""The base of task networks."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common import Registrable

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
        """The logits `(batch, *event_shape)`."""
        return self._encoding(x, mask)
