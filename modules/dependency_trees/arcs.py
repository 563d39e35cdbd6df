"""The arcs that a tree may have."""

from typing import NamedTuple, Optional

import torch

from ..masks import real_first, reordered

LOWEST = -1e30
"""The logit of an arc that no tree has; sums of a few of them are finite in every precision."""


def candidates(mask: torch.Tensor) -> torch.Tensor:
    """Return the arcs that a tree may have, bool `(..., n, n + 1)`, of the tokens that exist
    `(..., n)`: from the root or another token that exists to one that exists."""
    heads = torch.nn.functional.pad(mask, (1, 0), value=True)
    pairs = mask.unsqueeze(-1) & heads.unsqueeze(-2)
    n = mask.shape[-1]
    itself = torch.eye(n, n, dtype=torch.bool, device=mask.device)
    return pairs & ~torch.nn.functional.pad(itself, (1, 0))


def themselves(labelled: torch.Tensor) -> torch.Tensor:
    """Return the first entry of the arc of each token to itself, `(n,)`, among those of logits
    `(batch, n, n + 1, R)`."""
    n, num_relations = labelled.shape[1], labelled.shape[3]
    return (torch.arange(n, device=labelled.device) + 1) * num_relations


class Cleaned(NamedTuple):
    """Logits in double precision with the tokens that exist first, in their order."""

    logits: torch.Tensor  # LOWEST where no tree has the arc
    mask: torch.Tensor
    order: Optional[torch.Tensor]  # of the tokens; None where they are in place

    def restored(self, heads: torch.Tensor) -> torch.Tensor:
        """Return heads `(batch, n)` of the tokens in this order as those in the first order."""
        if self.order is None:
            return heads
        back = self.order.argsort(1)
        columns = torch.nn.functional.pad(self.order + 1, (1, 0))
        return columns.gather(1, heads).gather(1, back)


def cleaned(logits: torch.Tensor, mask: Optional[torch.Tensor]) -> Cleaned:
    """Return logits `(batch, n, n + 1)`, or with relations `(batch, n, n + 1, R)`, for the
    algorithms.

    # Raises

    `ValueError` where the shapes are not those of arcs and of their tokens.
    """
    if logits.dim() not in (3, 4) or logits.shape[2] != logits.shape[1] + 1:
        raise ValueError(
            "Expected logits of arcs (batch, num_tokens, num_tokens + 1), got "
            f"{tuple(logits.shape)}."
        )
    if mask is None:
        mask = torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
    if mask.shape != logits.shape[:2]:
        raise ValueError(
            f"Expected a mask (batch, num_tokens) = {tuple(logits.shape[:2])} of the logits of "
            f"arcs, got {tuple(mask.shape)}."
        )
    order = real_first(mask)
    logits = logits.double()
    if order is not None:
        columns = torch.nn.functional.pad(order + 1, (1, 0))
        logits = reordered(reordered(logits, order), columns, dim=2)
        mask = reordered(mask, order)
    possible = candidates(mask).view(*logits.shape[:3], *(1,) * (logits.dim() - 3))
    return Cleaned(logits.masked_fill(~possible, LOWEST), mask, order)
