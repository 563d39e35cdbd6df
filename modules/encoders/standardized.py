"""Encodings with mean 0 and variance 1."""

from typing import Any, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError

from .encoder import Encoder

_SMALLEST = 1e-6  # the smallest standard deviation that is divided by


class Moments(NamedTuple):
    """The moments of encodings.

    # Fields

    number : the number of encodings.
    mean : of each feature, `(output_size,)`, double.
    squares : the sums of squared differences from the mean, `(output_size,)`, double.
    """

    number: int
    mean: torch.Tensor
    squares: torch.Tensor

    @staticmethod
    def of(h: torch.Tensor, mask: Optional[torch.Tensor] = None) -> "Moments":
        """Return the moments of encodings `(*shape, output_size)`, where the mask `(*shape)` is
        true; of none, zeros."""
        h = (h.flatten(0, -2) if mask is None else h[mask.bool()]).detach().double().cpu()
        mean = h.sum(0) / max(len(h), 1)
        return Moments(len(h), mean, (h - mean).square().sum(0))

    def merged(self, other: "Moments") -> "Moments":
        """Return the moments of the encodings of both (Chan et al. 1983)."""
        number = self.number + other.number
        share = other.number / max(number, 1)
        delta = other.mean - self.mean
        squares = self.squares + other.squares + delta.square() * self.number * share
        return Moments(number, self.mean + delta * share, squares)


@Encoder.register("standardized")
class StandardizedEncoder(Encoder):
    """(h − mean) / standard deviation, feature by feature, of the vectors h of an encoder whose
    weights are constant.

    The features of a pretrained network differ in scale, and layers after it learn badly from them.
    The mean and the standard deviation are those of the training data, over the instances and the
    real tokens of each; the model fits them before the first step, and they are saved with the
    weights.

    # Parameters

    encoder : `Encoder`
        `frozen`.
    dropout : `float`
        The dropout of the result.

    # Raises

    `ConfigurationError` for an encoder that is trained, and for a dropout outside [0, 1).
    """

    shift: torch.Tensor
    scale: torch.Tensor
    is_fitted: torch.Tensor

    def __init__(self, encoder: Encoder, dropout: float = 0.0) -> None:
        super().__init__()
        if any(parameter.requires_grad for parameter in encoder.parameters()):
            raise ConfigurationError(
                "Expected an encoder 'frozen' in the encoder 'standardized', got "
                f"{type(encoder).__name__}, which is trained."
            )
        if not 0 <= dropout < 1:
            raise ConfigurationError(
                f"Expected a dropout in [0, 1) of the encoder 'standardized', got {dropout}."
            )
        self.encoder = encoder
        self.position_dims = encoder.position_dims
        self.output_size = encoder.output_size
        self.dropout = torch.nn.Dropout(dropout)
        self.register_buffer("shift", torch.zeros(self.output_size))
        self.register_buffer("scale", torch.ones(self.output_size))
        self.register_buffer("is_fitted", torch.tensor(0))  # a number: gloo sends no bool

    def fit(self, moments: Moments) -> None:
        """Set the shift and the scale; a constant feature is only shifted."""
        deviation = (moments.squares / max(moments.number, 1)).sqrt()
        scale = torch.where(deviation > _SMALLEST, 1 / deviation, 1.0)
        self.shift.copy_(moments.mean)
        self.scale.copy_(scale)
        self.is_fitted.fill_(1)

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.dropout((self.encoder(x, mask) - self.shift) * self.scale)
