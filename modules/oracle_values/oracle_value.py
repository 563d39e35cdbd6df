"""The base of oracle values."""

from abc import ABC, abstractmethod
from typing import Optional

import torch
from allennlp.common import Registrable

from ..gradients import Differentiated, GradientFunction, by_autograd
from ..output_spaces import OutputSpace


def proportion(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Return part / whole, and 1 where the whole is 0.

    There it is (part + 1) / (whole + 1), so that the gradient is finite.
    """
    nothing = (whole <= 0).to(whole.dtype)
    return (part + nothing) / (whole + nothing)


class OracleValue(Differentiated, Registrable, ABC):
    """The quality v(y*, y) of an output y given the true output y*; higher is better.

    It is differentiable in a relaxed y, and the truth reaches its maximum `upper_bound`. A subclass
    fills `compute(truth, y, mask)`.
    """

    computed_by = ("compute", "value")
    upper_bound: float = 1.0

    def __init__(self, output_space: OutputSpace) -> None:
        self.output_space = output_space

    @abstractmethod
    def compute(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return v `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`, with the
        encoded truth `(batch, 1, *event_shape)`."""

    def value(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return v `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`, with the
        encoded truth `(batch, 1, *event_shape)`.

        # Raises

        `ValueError` where `compute` returns another shape.
        """
        values = self.compute(truth, y, mask)
        if values.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.compute to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(values.shape)}."
            )
        return values

    def pairwise(
        self, truths: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return v of each discrete output y `(batch, num_samples, *event_shape)` where each of
        several discrete outputs `(batch, num_truths, *event_shape)` is true, `(batch, num_truths,
        num_samples)`.

        It is `value` for one truth after the other; a subclass may compute it faster.
        """
        return torch.stack([self.value(truth, y, mask) for truth in truths.split(1, 1)], 1)

    def gradient_function(
        self, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> GradientFunction:
        """Return the function of y that returns v `(batch, num_samples)` and the gradient of each
        in y, shaped like y."""
        return self.by_autograd(truth, mask)

    def by_autograd(
        self, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> GradientFunction:
        """Return the result of `gradient_function`, by autograd."""
        return by_autograd(lambda y: self.value(truth, y, mask))

    def cost(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return D = upper_bound − v, at least 0, `(batch, num_samples)`."""
        return self.upper_bound - self.value(truth, y, mask)
