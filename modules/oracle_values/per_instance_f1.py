"""F1 of each instance."""

from typing import Optional

import torch

from ..gradients import GradientFunction, ValueAndGradient
from .oracle_value import OracleValue, proportion


@OracleValue.register("per-instance-f1")
class PerInstanceF1(OracleValue):
    """v = 2 Σ_p y*_p y_p / (Σ_p y*_p + Σ_p y_p), and 1 where both outputs are empty.

    On a relaxed y this is the soft F1 that Gygli et al. (2017, section 3.2) train on.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> oracle_value = PerInstanceF1(BinaryOutputSpace())
    >>> truth = torch.tensor([[[1.0, 1.0, 0.0]]])
    >>> oracle_value.value(truth, torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]])).tolist()
    [[0.6666666865348816, 0.6666666865348816]]
    """

    def compute(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        space = self.output_space
        shared = space.sum_positions(space.position_dot(y, truth), mask)
        mass = space.sum_positions(space.position_mass(y), mask)
        mass = mass + space.sum_positions(space.position_mass(truth), mask)
        return proportion(2 * shared, mass)

    def pairwise(
        self, truths: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        space = self.output_space
        mass, true = (space.sum_positions(space.position_mass(z), mask) for z in (y, truths))
        total = mass.unsqueeze(1) + true.unsqueeze(2)
        return proportion(2 * space.shared_mass(truths, y, mask), total)

    def gradient_function(
        self, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> GradientFunction:
        """Return the function of y that returns v and its gradient (2 y*_p − v) / (Σ_p y*_p + Σ_p
        y_p) in the label mass of each position p."""
        space = self.output_space
        twice = 2 * truth
        truth_mass = space.sum_positions(space.position_mass(truth), mask)

        def evaluate(y: torch.Tensor) -> ValueAndGradient:
            mass = space.sum_positions(space.position_mass(y), mask) + truth_mass
            empty = (mass <= 0).to(mass.dtype)  # as in `proportion`
            mass = mass + empty
            values = (space.sum_positions(space.position_dot(y, twice), mask) + empty) / mass
            shape = values.shape + (1,) * (y.dim() - 2)
            gradient = (twice - values.view(shape)) / mass.view(shape)
            return values, space.zero_padding(gradient, mask)

        return evaluate
