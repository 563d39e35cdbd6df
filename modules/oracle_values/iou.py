"""Intersection over union."""

from typing import Optional

import torch

from .oracle_value import OracleValue, proportion


@OracleValue.register("iou")
class IntersectionOverUnion(OracleValue):
    """v = Σ_p y*_p y_p / Σ_p (y*_p + y_p − y*_p y_p), and 1 where both outputs are empty (Jaccard).

    On a relaxed y, with a discrete truth, this is the IoU by minimum and maximum that Gygli et al.
    (2017) train on.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> truth = torch.tensor([[[1.0, 1.0, 0.0]]])
    >>> outputs = torch.tensor([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1.0, 1.0, 1.0]]])
    >>> IntersectionOverUnion(BinaryOutputSpace()).value(truth, outputs).tolist()
    [[0.5, 0.5, 0.6666666865348816]]
    """

    def compute(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        space = self.output_space
        shared = space.position_dot(y, truth)
        union = space.position_mass(y) + space.position_mass(truth) - shared
        return proportion(space.sum_positions(shared, mask), space.sum_positions(union, mask))

    def pairwise(
        self, truths: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        space = self.output_space
        mass, true = (space.sum_positions(space.position_mass(z), mask) for z in (y, truths))
        shared = space.shared_mass(truths, y, mask)
        return proportion(shared, mass.unsqueeze(1) + true.unsqueeze(2) - shared)
