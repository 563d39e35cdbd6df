"""The base of structured scores."""

from abc import ABC, abstractmethod
from typing import List, Optional

import torch
from allennlp.common import Lazy, Registrable

from ...output_spaces import OutputSpace


class StructuredScore(torch.nn.Module, Registrable, ABC):
    """A term s_k(y) of the score over the outputs; higher is better.

    The score network gives its constructor `num_labels`, the size of the last dimension of y, and
    the `output_space`.
    """

    @abstractmethod
    def forward(self, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """The scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`."""


def construct_scores(
    scores: Optional[List[Lazy[StructuredScore]]], num_labels: int, output_space: OutputSpace
) -> List[StructuredScore]:
    """The structured scores of a config, built with what a score network gives them."""
    return [
        score.construct(num_labels=num_labels, output_space=output_space) for score in scores or []
    ]
