"""The trees of the highest scores, the best first."""

from typing import NamedTuple, Optional

import torch

from .arcs import LOWEST, cleaned
from .next_trees import best_crossing_ones
from .projective import best_projective_ones


class RankedTrees(NamedTuple):
    """Trees with relations, the best first; 0 at tokens that do not exist."""

    heads: torch.Tensor  # (batch, count, n), 0 is the root
    relations: torch.Tensor  # (batch, count, n)


def best_ones(
    logits: torch.Tensor,
    count: int,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> RankedTrees:
    """Return the `count` trees with the highest sums of logits, which differ in a head or a
    relation. For a sentence with fewer trees the last one is repeated.

    Trees that may cross are found on the host, each sentence by itself (Camerini et al. 1980);
    projective ones by the chart of Eisner with the best analyses of each span (Huang & Chiang
    2005).

    >>> logits = torch.tensor([[[[1.0], [0.0], [2.0]], [[0.0], [0.0], [0.0]]]])
    >>> best_ones(logits, 3).heads.tolist()  # two words have two trees
    [[[2, 0], [0, 1], [0, 1]]]

    # Parameters

    logits : `torch.Tensor`
        `(batch, n, n + 1, R)` with R relations; R is 1 for heads without relations.
    mask : `torch.Tensor`, optional
        The tokens that exist, `(batch, n)`.
    single_root : `bool`
        Whether exactly one token has the root as its head.
    projective : `bool`
        Whether arcs may not cross.
    """
    with torch.no_grad():
        # Of the relations of an arc no more than `count` are in these trees.
        kept = logits.topk(min(count, logits.shape[3]))
        arcs = cleaned(kept.values, mask)
        n = arcs.mask.shape[1]
        shape = (len(logits), count, n)
        if not n:
            return RankedTrees(*(arcs.logits.new_zeros(shape, dtype=torch.long),) * 2)
        find = best_projective_ones if projective else best_crossing_ones
        chosen = find(arcs.logits, arcs.mask, count, single_root)
        chosen = _in_order(chosen, arcs.logits, arcs.mask)
        heads = (chosen // arcs.logits.shape[3]).masked_fill(~arcs.mask.unsqueeze(1), 0)
        ranks = chosen % arcs.logits.shape[3]
        if arcs.order is not None:
            order = arcs.order.repeat_interleave(count, 0)
            heads = arcs._replace(order=order).restored(heads.flatten(0, 1)).view(shape)
            ranks = ranks.take_along_dim(arcs.order.argsort(1).unsqueeze(1), 2)
        of_heads = kept.indices.unsqueeze(1).take_along_dim(heads[..., None, None], 3).squeeze(3)
        relations = of_heads.gather(3, ranks.unsqueeze(3)).squeeze(3)
        if mask is not None:
            relations = relations.masked_fill(~mask.unsqueeze(1), 0)
        return RankedTrees(heads, relations)


def _in_order(chosen: torch.Tensor, arcs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the entries `(batch, count, n)` that trees choose for each token, the best tree first,
    and the last one in place of those that are none."""
    values = arcs.flatten(2).unsqueeze(1).take_along_dim(chosen.unsqueeze(3), 3).squeeze(3)
    totals = values.masked_fill(~mask.unsqueeze(1), 0.0).sum(2)
    order = totals.argsort(dim=1, descending=True, stable=True)
    last = ((totals > LOWEST / 2).sum(1, keepdim=True) - 1).clamp(min=0)
    ranks = torch.arange(chosen.shape[1], device=chosen.device).expand_as(order)
    return chosen.take_along_dim(order.gather(1, torch.minimum(ranks, last)).unsqueeze(2), 1)
