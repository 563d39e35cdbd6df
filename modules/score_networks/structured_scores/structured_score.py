"""The base of structured scores."""

import functools
from abc import ABC, abstractmethod
from typing import Any, Callable, ClassVar, Dict, List, Optional

import torch
from allennlp.common import Lazy, Registrable

from ...output_spaces import OutputSpace


class StructuredScore(torch.nn.Module, Registrable, ABC):
    """A term s_k(y, h) of the score; higher is better.

    A subclass fills `forward`. A term that depends on x also fills `encode`, which is computed once
    for all y; its result is the h of `forward`.

    The score network gives the constructor what it names: `output_space`, `num_labels` (the size of
    the last dimension of y, where that is fixed) and `encoding_size` (the size of the vectors of
    the encoder). The shape that `forward` returns is checked: `ValueError` if it is another one.
    """

    sums_positions: ClassVar[bool] = True
    """Whether the term is a sum over positions, and so grows with their number."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "forward" in vars(cls):
            cls.forward = _checked(cls.forward)  # type: ignore[method-assign]

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        """Return the part of x that the term needs, `(batch, ...)`; `None` by default.

        # Parameters

        x : `Any`
            The input.
        h : `torch.Tensor`
            The encoding `(batch, *position_shape, encoding_size)`.
        mask : `torch.Tensor`, optional
            The real positions `(batch, *position_shape)`.
        """
        return None

    @abstractmethod
    def forward(
        self,
        y: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        h: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Return the scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`, with
        the result h of `encode`."""


def _checked(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return `forward` with a check of the shape of what it returns."""

    @functools.wraps(forward)
    def checked(
        self: StructuredScore,
        y: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        h: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        score = forward(self, y, mask, h)
        if score.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.forward to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(score.shape)}."
            )
        return score

    return checked


def construct_scores(
    scores: Optional[List[Lazy[StructuredScore]]],
    output_space: OutputSpace,
    num_labels: Optional[int],
    encoding_size: int,
) -> List[StructuredScore]:
    """Return the structured scores of a config, built with what a score network gives them."""
    extras: Dict[str, Any] = {"output_space": output_space, "encoding_size": encoding_size}
    if num_labels is not None:
        extras["num_labels"] = num_labels
    return [score.construct(**extras) for score in scores or []]


def label_rows(
    term: StructuredScore, y: torch.Tensor, mask: Optional[torch.Tensor]
) -> torch.Tensor:
    """Return rows of labels y `(batch, num_samples, num_labels)` with zeros in their padding.

    # Raises

    `ValueError` for other outputs, in the name of `term`.
    """
    if y.dim() != 3:
        raise ValueError(
            "Expected rows of labels, y (batch, num_samples, num_labels), for the structured score "
            f"{type(term).__name__}, got y {tuple(y.shape)}; choose one for this output space."
        )
    return y if mask is None else y.masked_fill(~mask.unsqueeze(1), 0.0)
