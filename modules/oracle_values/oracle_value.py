"""The base of oracle values."""

import functools
from abc import ABC, abstractmethod
from typing import Callable, Optional

import torch
from allennlp.common import Registrable

from ..output_spaces import OutputSpace


def proportion(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """part / whole, and 1 where there is nothing of the whole: (part + 1) / (whole + 1) there, so
    that the gradient is finite."""
    nothing = (whole <= 0).to(whole.dtype)
    return (part + nothing) / (whole + nothing)


class OracleValue(Registrable, ABC):
    """The quality v(y*, y) of an output y given the true output y*; higher is better.

    Differentiable in a relaxed y. Bounded above by `upper_bound`, which the truth reaches. The
    shape that `value` returns is checked: `ValueError` if it is another one.
    """

    upper_bound: float = 1.0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "value" in vars(cls):
            cls.value = _checked(cls.value)  # type: ignore[method-assign]

    def __init__(self, output_space: OutputSpace) -> None:
        self.output_space = output_space

    @abstractmethod
    def value(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """v `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`, with the encoded
        truth `(batch, 1, *event_shape)`."""

    def cost(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """D = upper_bound − v, at least 0, `(batch, num_samples)`."""
        return self.upper_bound - self.value(truth, y, mask)


def _checked(value: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return `value` with a check of the shape of what it returns."""

    @functools.wraps(value)
    def checked(
        self: OracleValue,
        truth: torch.Tensor,
        y: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        values = value(self, truth, y, mask)
        if values.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.value to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(values.shape)}."
            )
        return values

    return checked
