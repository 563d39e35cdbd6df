"""Projective trees, whose arcs do not cross: the algorithm of Eisner."""

import itertools
from typing import Any, Callable, Optional

import torch
from torch.nn.functional import pad

from .arcs import LOWEST, cleaned, themselves

Reduction = Callable[[torch.Tensor], torch.Tensor]
"""The sum, the maximum or the highest values over the last dimension, which stays."""

_MOST_BITS = 50
"""Of whole numbers whose sums have no error in double precision."""


def inside_log_partition(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return log Σ_T exp Σ_{arcs of T} logit over the projective trees of each sentence,
    `(batch,)`, in double precision; differentiable. 0 for a sentence without tokens.

    The arguments are those of `matrix_tree_log_partition`.
    """
    arcs, mask, _ = cleaned(logits, mask)
    total = _inside(arcs, mask, single_root, lambda values: values.logsumexp(-1, keepdim=True))
    return total.squeeze(1)


def best_projective(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return the heads `(batch, n)` of the projective trees with the highest sum of logits (Eisner
    1996); 0 is the root, and the head of a token that does not exist."""
    return _heads_of(logits, mask, single_root, lambda values: values.max(-1, keepdim=True).values)


def draw_projective(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Draw the heads `(batch, n)` of a projective tree for each sentence, T ~ exp Σ logit."""
    return _heads_of(logits, mask, single_root, _Draw.apply)


def _heads_of(
    logits: torch.Tensor, mask: Optional[torch.Tensor], single_root: bool, reduce: Reduction
) -> torch.Tensor:
    """Return the heads of the tree along which the reduction passes its gradient."""
    arcs = cleaned(logits.detach(), mask)
    if arcs.logits.shape[1] == 0:
        return arcs.logits.new_zeros(arcs.logits.shape[:2], dtype=torch.long)
    with torch.enable_grad():
        leaf = arcs.logits.requires_grad_()
        total = _inside(leaf, arcs.mask, single_root, reduce).sum()
        (chosen,) = torch.autograd.grad(total, leaf)
    return arcs.restored(chosen.argmax(2).masked_fill(~arcs.mask, 0))


class _Draw(torch.autograd.Function):
    """log Σ exp, whose gradient is that of one draw in place of the mean."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(values)
        return torch.logsumexp(values, -1, keepdim=True)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (values,) = ctx.saved_tensors
        noise = torch.empty_like(values).exponential_().log()
        drawn = (values - noise).argmax(-1, keepdim=True)
        return torch.zeros_like(values).scatter(-1, drawn, gradient)


def best_projective_ones(
    labelled: torch.Tensor, mask: torch.Tensor, count: int, single_root: bool
) -> torch.Tensor:
    """Return the entries h · R + r `(batch, count, n)` of the best trees, the best first, of
    cleaned logits `(batch, n, n + 1, R)`; where there are fewer trees, the arcs of tokens to
    themselves.

    Each span has its best analyses (Huang & Chiang 2005, algorithm 1).
    """
    entries = []
    with torch.enable_grad():
        leaf = labelled.detach().requires_grad_()
        kept = leaf.topk(min(count, leaf.shape[3])).values
        arcs = pad(kept, (0, count - kept.shape[3]), value=LOWEST)
        totals = _inside(arcs, mask, single_root, lambda values: values.topk(count).values)
        for part in totals.split(_MOST_BITS, 1):
            # One gradient has all trees: that of rank r is bit r of its numbers.
            bits = 2.0 ** torch.arange(part.shape[1], device=part.device)
            weights = bits.to(part.dtype).expand_as(part)
            (trees,) = torch.autograd.grad(part, leaf, weights, retain_graph=True)
            ranks = range(part.shape[1])
            entries += [(trees.long().flatten(2) >> rank & 1).argmax(2) for rank in ranks]
    found = torch.stack(entries, 1)
    return torch.where(totals.unsqueeze(2) > LOWEST / 2, found, themselves(labelled))


def _inside(
    arcs: torch.Tensor, mask: torch.Tensor, single_root: bool, reduce: Reduction
) -> torch.Tensor:
    """Return the totals over projective trees `(batch, count)`, given arcs `(batch, n, n + 1,
    count)`, without the last dimension for one total.

    A chart holds the totals of each span: "from" charts by its first token and its width,
    "to" charts by its last token and its width.
    """
    arcs = arcs if arcs.dim() == 4 else arcs.unsqueeze(3)
    batch, n, size, ranks = arcs.shape  # size: the number of nodes, the root and the tokens
    pairs = _pairs(ranks, arcs.device)

    def both(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Return the totals of two parts together, before the reduction over the last dimension."""
        if ranks == 1:
            return left + right
        return left.index_select(-1, pairs[0]) + right.index_select(-1, pairs[1])

    def split(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Return the totals of spans by those of their parts, split at each place."""
        return reduce(both(left, right.flip(2)).flatten(2))

    def with_arc(spans: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        totals = both(spans, weights.transpose(1, 2))
        return totals if ranks == 1 else reduce(totals)

    # Entry (i, j) is the weight of node i with the head j; the root has no head.
    weights = pad(arcs, (0, 0, 0, 0, 1, 0), value=LOWEST)
    if single_root:
        weights = torch.cat([torch.full_like(weights[:, :, :1], LOWEST), weights[:, :, 1:]], 2)
    zeros = pad(arcs.new_zeros(batch, size, 1, 1), (0, ranks - 1), value=LOWEST)
    right_from = right_to = left_from = left_to = zeros  # whole spans with the head at one end
    arc_from = arc_to = zeros[:, :, :0]  # spans of an arc: to the right, to the left
    for width in range(1, size):
        count = size - width
        joined = split(right_from[:, :count], left_to[:, width:])
        # Node i is the head of node i + width, or node i + width that of node i.
        rightward = with_arc(joined, weights.diagonal(-width, 1, 2))
        leftward = with_arc(joined, weights.diagonal(width, 1, 2))
        arc_from, arc_to = _at_start(arc_from, rightward), _at_end(arc_to, leftward)
        right = split(arc_from[:, :count], right_to[:, width:])
        left = split(left_from[:, :count], arc_to[:, width:])
        right_from, right_to = _at_start(right_from, right), _at_end(right_to, right)
        left_from, left_to = _at_start(left_from, left), _at_end(left_to, left)
    length = mask.sum(1)
    rows = torch.arange(batch, device=arcs.device)
    if not single_root:
        return right_from[rows, 0, length]
    # The tree of token i: its left part from the first token, its right part to the last one.
    before = torch.arange(n, device=arcs.device)
    after = length.unsqueeze(1) - 1 - before
    left = left_to[:, before + 1, before]
    right = right_from[rows.unsqueeze(1), before + 1, after.clamp(min=0)]
    below = both(left, right) if ranks == 1 else reduce(both(left, right))
    total = both(arcs[:, :, 0], below).masked_fill((after < 0).unsqueeze(2), LOWEST)
    nothing = zeros[:, 0, 0]
    return torch.where(length.unsqueeze(1) > 0, reduce(total.flatten(1)) if n else nothing, nothing)


def _pairs(count: int, device: torch.device) -> torch.Tensor:
    """Return the pairs of ranks `(2, num_pairs)` in two sorted lists whose sum may be among the
    `count` highest: all pairs of ranks that are not higher are at least as good."""
    ranks = range(count)
    kept = [(i, j) for i, j in itertools.product(ranks, ranks) if (i + 1) * (j + 1) <= count]
    return torch.tensor(kept, device=device).T


def _at_start(chart: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """Return a chart by first tokens with the spans of the next width."""
    column = pad(spans, (0, 0, 0, chart.shape[1] - spans.shape[1]), value=LOWEST)
    return torch.cat([chart, column.unsqueeze(2)], 2)


def _at_end(chart: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """Return a chart by last tokens with the spans of the next width."""
    column = pad(spans, (0, 0, chart.shape[1] - spans.shape[1], 0), value=LOWEST)
    return torch.cat([chart, column.unsqueeze(2)], 2)
