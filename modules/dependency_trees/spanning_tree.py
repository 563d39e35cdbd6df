"""The best tree whose arcs may cross: the algorithm of Chu & Liu and Edmonds."""

from typing import Optional

import numpy as np
import torch
from allennlp.nn.chu_liu_edmonds import decode_mst

from .arcs import cleaned


def best_tree(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return the heads `(batch, n)` of the trees with the highest sum of logits; 0 is the root, and
    the head of a token that does not exist.

    Where the best heads of the tokens by themselves form a tree, they are the best tree. The others
    are found on the host, each by itself (Chu & Liu 1965; Edmonds 1967).

    # Parameters

    logits : `torch.Tensor`
        `(batch, n, n + 1)`.
    mask : `torch.Tensor`, optional
        The tokens that exist, `(batch, n)`.
    single_root : `bool`
        Whether exactly one token has the root as its head.
    """
    arcs = cleaned(logits.detach(), mask)
    if arcs.logits.shape[1] == 0:
        return arcs.logits.new_zeros(arcs.logits.shape[:2], dtype=torch.long)
    heads = arcs.logits.argmax(2).masked_fill(~arcs.mask, 0)
    others = (~is_tree(heads, arcs.mask, single_root)).nonzero().flatten()
    if len(others):
        lengths = arcs.mask.sum(1)[others].tolist()
        found = heads.cpu()
        rows = arcs.logits[others].cpu().numpy()
        for place, length, row in zip(others.tolist(), lengths, rows, strict=True):
            best = best_of_one(row[:length, : length + 1], single_root)
            found[place, :length] = torch.from_numpy(best)
        heads = found.to(heads.device)
    return arcs.restored(heads)


def best_of_one(arcs: np.ndarray, single_root: bool) -> np.ndarray:
    """Return the heads of the best tree of `(n, n + 1)`."""
    # What all heads of a token share changes no tree, and costs digits.
    arcs = arcs - arcs.max(1, keepdims=True)
    real = np.isfinite(arcs) & (arcs > -1e29)
    lowest = arcs[real].min() if real.any() else 0.0
    # Below any sum of possible arcs: no tree has an impossible arc, or a second root, by choice.
    below = (lowest - 1) * (len(arcs) + 1)
    arcs = np.where(real, arcs, 2 * below * (len(arcs) + 1))
    if single_root:
        arcs[:, 0] += below
    energy = np.zeros((len(arcs) + 1, len(arcs) + 1))
    energy[:, 1:] = arcs.T
    heads, _ = decode_mst(energy, len(energy), has_labels=False)
    return heads[1:].astype(np.int64)


def is_tree(
    heads: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return whether heads `(..., n)` form a tree, `(...)`: each token that exists reaches the root
    and, with `single_root`, one of them has the root as its head.

    A token that does not exist must have the head 0.
    """
    n = heads.shape[-1]
    above = torch.nn.functional.pad(heads, (1, 0))  # the root is above itself
    for _ in range(max(n, 1).bit_length()):
        above = above.gather(-1, above)
    reached = (above == 0).all(-1)
    if not single_root or n == 0:
        return reached
    exists = torch.ones_like(heads, dtype=torch.bool) if mask is None else mask
    roots = ((heads == 0) & exists).sum(-1)
    return reached & ((roots == 1) | ~exists.any(-1))


def is_projective(heads: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
    """Return whether no two arcs of trees `(..., n)` cross, `(...)`; an arc from the root is one
    from before the first token."""
    n = heads.shape[-1]
    tokens = torch.arange(1, n + 1, device=heads.device).expand_as(heads)
    start, end = torch.minimum(tokens, heads), torch.maximum(tokens, heads)
    crosses = (
        (start.unsqueeze(-1) < start.unsqueeze(-2))
        & (start.unsqueeze(-2) < end.unsqueeze(-1))
        & (end.unsqueeze(-1) < end.unsqueeze(-2))
    )
    if mask is not None:
        crosses &= mask.unsqueeze(-1) & mask.unsqueeze(-2)
    return ~crosses.flatten(-2).any(-1)
