"""The base of losses."""

from abc import ABC, abstractmethod
from typing import Any, Literal, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from ..gradients import Differentiated, GradientFunction, ValueAndGradient, differentiate
from ..logging import LoggedMean, LoggingMixin
from ..networks import Borrower
from ..sampler_output import SamplerOutput

Reduction = Literal["sum", "mean", "none"]


class Loss(Differentiated, Borrower, LoggingMixin, Registrable, ABC):
    """A loss over the outputs that a sampler proposes; lower is better.

    `forward` is a template: it calls `compute`, checks the shape, logs the mean as `value` and
    reduces. A subclass fills only `compute`, and registers further logged values in its
    constructor.

    # Parameters

    reduction : `"mean"`, `"sum"` or `"none"`
        The reduction over the batch and the samples.
    log_key : `str`, optional
        The name in the tree of logged values.
    """

    computed_by = ("compute", "unreduced", "forward")

    def __init__(self, reduction: Reduction = "mean", log_key: Optional[str] = None) -> None:
        Borrower.__init__(self)
        LoggingMixin.__init__(self, log_key)
        if reduction not in ("sum", "mean", "none"):
            raise ConfigurationError(
                f"Expected the reduction 'sum', 'mean' or 'none' in {type(self).__name__}, "
                f"got '{reduction}'."
            )
        self.reduction = reduction
        self.logging_buffer["value"] = LoggedMean()

    @abstractmethod
    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return the loss of each proposal, `(batch, num_samples)`, or of each instance,
        `(batch, 1)`. `truth` is the encoded true output, `(batch, 1, *event_shape)`."""

    def unreduced(
        self,
        x: Any,
        truth: torch.Tensor,
        sample: SamplerOutput,
        mask: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Return the result of `compute`, checked and logged.

        # Raises

        `ValueError` if the truth and the samples do not fit, or if the result has another shape.
        """
        shape = sample.y.shape
        if len(shape) < 2 or truth.shape != (shape[0], 1, *shape[2:]):
            raise ValueError(
                f"Expected samples (batch, num_samples, *event_shape) and a truth (batch, 1, "
                f"*event_shape) of one batch and event shape in {type(self).__name__}, got samples "
                f"{tuple(shape)} and the truth {tuple(truth.shape)}."
            )
        values = self.compute(x, truth, sample, mask)
        batch, num_samples = shape[:2]
        if values.shape not in ((batch, num_samples), (batch, 1)):
            raise ValueError(
                f"Expected {type(self).__name__}.compute to return (batch, num_samples) = "
                f"({batch}, {num_samples}) or ({batch}, 1), got {tuple(values.shape)}."
            )
        self.log("value", values)
        return values

    def gradient_function(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        """Return the function of proposals y that returns `scale` times the unreduced loss and the
        gradient of its sum in y, for a descent on the loss. It logs nothing.

        # Raises

        The function raises `ConfigurationError` for a loss that treats the output as a constant.
        """
        return self.by_autograd(x, truth, mask, scale)

    def by_autograd(
        self,
        x: Any,
        truth: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
        scale: float = 1.0,
    ) -> GradientFunction:
        """Return the result of `gradient_function`, by autograd."""

        def evaluate(y: torch.Tensor) -> ValueAndGradient:
            with self.no_logging():
                values, gradient = differentiate(
                    lambda y: self.unreduced(x, truth, SamplerOutput(y), mask), y
                )
            if gradient is None:
                raise ConfigurationError(
                    "Expected a loss whose gradient reaches the output of a descent, got "
                    f"{type(self).__name__}, which treats the output as a constant."
                )
            return scale * values, scale * gradient

        return evaluate

    def forward(
        self,
        x: Any,
        truth: torch.Tensor,
        sample: SamplerOutput,
        mask: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """Return the reduced loss."""
        values = self.unreduced(x, truth, sample, mask)
        if self.reduction == "mean":
            return values.mean()
        return values.sum() if self.reduction == "sum" else values
