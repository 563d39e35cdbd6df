"""The base of structured scores."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Lazy, Registrable

from ...output_spaces import OutputSpace


class StructuredScore(torch.nn.Module, Registrable, ABC):
    """A term s_k(y) of the score over the outputs; higher is better.

    The score network gives its constructor the `output_space` and, where it is known, `num_labels`,
    the size of the last dimension of y.
    """

    @abstractmethod
    def forward(self, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """The scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`."""


def construct_scores(
    scores: Optional[List[Lazy[StructuredScore]]],
    num_labels: Optional[int],
    output_space: OutputSpace,
) -> List[StructuredScore]:
    """The structured scores of a config, built with what a score network gives them."""
    given: Dict[str, Any] = {"output_space": output_space}
    if num_labels is not None:
        given["num_labels"] = num_labels
    return [score.construct(**given) for score in scores or []]
