"""Masks of sequences, whose masked positions do not exist.

The real positions on both sides of a hole are neighbours, and the first real position starts the
sequence, at any place. A component that looks at neighbours moves the real positions to the
front first.
"""

from typing import Optional

import torch


def real_first(mask: torch.Tensor) -> Optional[torch.Tensor]:
    """Return the positions of each row of a mask `(batch, num_positions)`, the real ones first, in
    their order; `None` if no row has a masked position before a real one.

    On an accelerator the positions are always returned, since a test of the mask would wait for it.

    >>> real_first(torch.tensor([[False, True, False, True]])).tolist()
    [[1, 3, 0, 2]]
    >>> real_first(torch.tensor([[True, True, False, False]])) is None
    True
    """
    is_tested = mask.device.type == "cpu" and not torch.compiler.is_compiling()
    if is_tested and not (mask[:, 1:] & ~mask[:, :-1]).any():
        return None
    return (~mask).to(torch.uint8).argsort(dim=1, stable=True)


def reordered(values: torch.Tensor, order: torch.Tensor, dim: int = 1) -> torch.Tensor:
    """Return the values with the positions, which lie along `dim`, in the order `(batch,
    num_positions)` of each row."""
    shape = [1] * values.dim()
    shape[0], shape[dim] = order.shape
    return values.take_along_dim(order.view(shape), dim)
