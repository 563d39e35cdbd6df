"""Terms over pairs of neighbouring pixels."""

from typing import Optional

import torch

from ...output_spaces import OutputSpace
from .structured_score import StructuredScore


@StructuredScore.register("grid")
class GridScore(StructuredScore):
    """s(y) = Σ_{p, q} θ_d (y_p y_q + (1 − y_p)(1 − y_q)) + ρ_d y_p (1 − y_q) + σ_d (1 − y_p) y_q
    over pairs of neighbours, q right of p (direction d = 0) or below it (d = 1): the pairwise term
    of a conditional random field on the grid of 4-neighbours.

    Pairs with padding do not count. θ, ρ and σ start at 0.

    # Raises

    `ValueError` for outputs that are not binary images.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> grid = GridScore(BinaryOutputSpace())
    >>> _ = torch.nn.init.ones_(grid.same)
    >>> grid(torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]]])).tolist()  # top and right pairs agree
    [[2.0]]
    """

    def __init__(self, output_space: OutputSpace) -> None:
        super().__init__()
        self.output_space = output_space
        self.same = torch.nn.Parameter(torch.zeros(2))
        self.falling = torch.nn.Parameter(torch.zeros(2))
        self.rising = torch.nn.Parameter(torch.zeros(2))

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if y.dim() != 4 or not self.output_space.is_binary:
            raise ValueError(
                "Expected images of the output space 'binary', y (batch, num_samples, height, "
                f"width), for the structured score 'grid', got y {tuple(y.shape)} of "
                f"{type(self.output_space).__name__}; choose one for this output space."
            )
        score = y.new_zeros(y.shape[:2])
        for direction, dim in enumerate((3, 2)):
            size = y.shape[dim] - 1
            p, q = y.narrow(dim, 0, size), y.narrow(dim, 1, size)
            both = p * q
            pairs = (
                self.same[direction] * (1 - p - q + 2 * both)
                + self.falling[direction] * (p - both)
                + self.rising[direction] * (q - both)
            )
            real = None
            if mask is not None:
                real = mask.narrow(dim - 1, 0, size) & mask.narrow(dim - 1, 1, size)
            score = score + self.output_space.sum_positions(pairs, real)
        return score
