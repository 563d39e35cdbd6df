"""Sums of metrics, which add up over batches and workers."""

from typing import Dict

import torch

Sums = Dict[str, torch.Tensor]
UNIT = 2.0**-40  # of sums of fractions


def ratio(numerator: torch.Tensor, denominator: torch.Tensor, empty: float) -> torch.Tensor:
    """numerator / denominator in double, and `empty` where the denominator is 0."""
    numerator, denominator = numerator.double(), denominator.double()
    return torch.where(
        denominator == 0,
        torch.full_like(numerator, empty),
        numerator / denominator.masked_fill(denominator == 0, 1.0),
    )


def in_units(fractions: torch.Tensor) -> torch.Tensor:
    """Return fractions, each rounded to a whole `UNIT`, as numbers of `UNIT`."""
    return (fractions.double() / UNIT).round().long()


def sum_in_units(fractions: torch.Tensor) -> torch.Tensor:
    """Return the sum of fractions in [0, 1] along the last dimension, in integers of `UNIT`: unlike
    a sum of floating-point numbers, it is the same in any order and for any batches.

    Each fraction is rounded to a whole `UNIT`, and 4 million of them fit.

    >>> sum_in_units(torch.tensor([0.5, 0.25])) * UNIT
    tensor(0.7500)
    """
    return in_units(fractions).sum(-1)
