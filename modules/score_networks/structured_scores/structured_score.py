"""The base of structured scores."""

import functools
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, List, Optional

import torch
from allennlp.common import Lazy, Registrable

from ...output_spaces import OutputSpace


class StructuredScore(torch.nn.Module, Registrable, ABC):
    """A term s_k(y) of the score over the outputs; higher is better.

    The score network gives its constructor the `output_space` and, where it is known, `num_labels`,
    the size of the last dimension of y. The shape that `forward` returns is checked: `ValueError`
    if it is another one.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "forward" in vars(cls):
            cls.forward = _checked(cls.forward)  # type: ignore[method-assign]

    @abstractmethod
    def forward(self, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """The scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`."""


def _checked(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return `forward` with a check of the shape of what it returns."""

    @functools.wraps(forward)
    def checked(
        self: StructuredScore, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        score = forward(self, y, mask)
        if score.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.forward to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(score.shape)}."
            )
        return score

    return checked


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
