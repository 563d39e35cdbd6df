"""The base of structured scores."""

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, List, Optional

import torch
from allennlp.common import Lazy, Params, Registrable
from allennlp.common.checks import ConfigurationError

from ...encoders import Encoder
from ...gradients import Differentiated, GradientAdder, ValueAndGradient, by_autograd
from ...output_spaces import OutputSpace


class StructuredScore(Differentiated, torch.nn.Module, Registrable, ABC):
    """A term s_k(y, h) of the score; higher is better.

    A subclass fills `score(y, mask, h)`. A term that depends on x also fills `encode(x, h, mask)`,
    which is computed once for all y; its result is the h of `score`. One whose gradient in y has a
    closed form can fill `gradient_adder`, for gradient-based inference.

    The score network passes the arguments that the constructor names: `output_space`, `encoder`,
    `encoding_size` (the size of the vectors of the encoder) and `num_labels` (the size of the last
    dimension of y, if that is one of labels or tags).
    """

    gradient_by = "gradient_adder"
    computed_by = ("score", "forward")
    sums_positions: ClassVar[bool] = True
    """Whether the term is a sum over positions, and so grows with their number."""

    @classmethod
    def from_params(cls, params: Params, *constructor: Any, **extras: Any) -> "StructuredScore":
        """Build the term.

        # Raises

        `ConfigurationError` where a term over labels or tags is given outputs without them.
        """
        takes = inspect.signature(cls).parameters.get("num_labels")
        needs_labels = takes is not None and takes.default is inspect.Parameter.empty
        if needs_labels and "encoder" in extras and "num_labels" not in {*extras, *params}:
            raise ConfigurationError(
                f"Expected labels or tags at each position for the structured score {cls.__name__},"
                f" got one logit at each position of the encoder {type(extras['encoder']).__name__}"
                f" in the output space {type(extras['output_space']).__name__}; choose a term over "
                "pixels, such as 'grid', or another encoder or output space."
            )
        return super().from_params(params, *constructor, **extras)

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
    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return the scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`, with
        the result h of `encode`."""

    def forward(
        self,
        y: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        h: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Return the scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`.

        # Parameters

        mask : `torch.Tensor`, optional
            The real positions `(batch, *position_shape)`; by default all are real.
        h : `torch.Tensor`, optional
            The result of `encode`, for terms that depend on x.

        # Raises

        `ValueError` where `score` returns another shape.
        """
        score = self.score(y, mask, h)
        if score.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.score to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(score.shape)}."
            )
        return score

    def gradient_adder(
        self,
        mask: Optional[torch.Tensor],
        h: Optional[torch.Tensor],
        scale: float = 1.0,
    ) -> GradientAdder:
        """Return the function that adds `scale` times the scores of y `(batch, num_samples)` and
        their gradients in y to other scores and gradients."""
        return self.by_autograd(mask, h, scale)

    def by_autograd(
        self,
        mask: Optional[torch.Tensor],
        h: Optional[torch.Tensor],
        scale: float = 1.0,
    ) -> GradientAdder:
        """Return the result of `gradient_adder`, by autograd."""
        function = by_autograd(lambda y: self(y, mask, h), scale)

        def add(y: torch.Tensor, values: torch.Tensor, gradient: torch.Tensor) -> ValueAndGradient:
            own_values, own_gradient = function(y)
            return values + own_values, gradient + own_gradient

        return add


def construct_scores(
    scores: Optional[List[Lazy[StructuredScore]]],
    output_space: OutputSpace,
    encoder: Encoder,
    num_labels: Optional[int],
) -> List[StructuredScore]:
    """Return the structured scores of a score network with this output space and encoder.

    # Raises

    `ConfigurationError` for a term that does not fit them.
    """
    extras: Dict[str, Any] = {
        "output_space": output_space,
        "encoder": encoder,
        "encoding_size": encoder.output_size,
    }
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
