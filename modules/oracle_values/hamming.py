"""Hamming oracle value."""

from typing import Optional

import torch

from .oracle_value import OracleValue


@OracleValue.register("hamming")
class HammingOracleValue(OracleValue):
    """v = 1 − (1/P) Σ_p distance(y*_p, y_p) over the P real positions.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> truth = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    >>> HammingOracleValue(BinaryOutputSpace()).value(truth, 1 - truth / 2).tolist()
    [[0.25]]
    """

    def compute(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return 1.0 - self.output_space.distance(y, truth, mask)
