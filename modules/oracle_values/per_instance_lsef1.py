"""F1 of each instance with a smooth minimum."""

import math
from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..output_spaces import OutputSpace
from .oracle_value import OracleValue, proportion


@OracleValue.register("per-instance-lsef1")
class PerInstanceLogSumExpF1(OracleValue):
    """v = 2 Σ m(y*, y) / (Σ y* + Σ y), with the smooth minimum of each value of y

        m(a, b) = −τ log ((exp(−a/τ) + exp(−b/τ)) / 2) = (a + b)/2 − τ log cosh((a − b) / 2τ)

    and 1 where both outputs are empty.

    For τ → 0, m is the minimum and v is `per-instance-f1`; a larger τ forgives small differences
    (v falls with their square) and has a continuous gradient. The truth, and nothing else, reaches
    1. The code published with Lee et al. (2022) has τ = 0.0001 and no division by 2 in m, which
    lowers every value, also that of the truth, by a constant that grows with the number of labels.

    # Parameters

    temperature : `float`
        τ.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> truth = torch.tensor([[[1.0, 1.0, 0.0]]])
    >>> y = torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])
    >>> for temperature in (1e-4, 0.5):
    ...     oracle_value = PerInstanceLogSumExpF1(BinaryOutputSpace(), temperature)
    ...     print([round(value, 3) for value in oracle_value.value(truth, y)[0].tolist()])
    [0.667, 0.667]
    [0.855, 0.92]
    """

    def __init__(self, output_space: OutputSpace, temperature: float = 1e-4) -> None:
        super().__init__(output_space)
        if temperature <= 0:
            raise ConfigurationError(
                "Expected a temperature above 0 in the oracle value 'per-instance-lsef1', got "
                f"{temperature}; use 'per-instance-f1' for the limit 0."
            )
        self.temperature = temperature

    def compute(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        space = self.output_space
        half = (y - truth) / (2 * self.temperature)
        # 2τ log cosh, the part of both masses that the outputs do not share.
        apart = 2 * self.temperature * (torch.logaddexp(half, -half) - math.log(2))
        mass = space.sum_positions(space.position_mass(y), mask)
        mass = mass + space.sum_positions(space.position_mass(truth), mask)
        return proportion(mass - space.sum_positions(space.position_mass(apart), mask), mass)
