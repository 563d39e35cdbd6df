"""Projective trees, whose arcs do not cross: the algorithm of Eisner."""

from typing import Any, Callable, Optional

import torch
from torch.nn.functional import pad

from .arcs import LOWEST, cleaned

Reduction = Callable[[torch.Tensor], torch.Tensor]
"""A sum or a maximum over the last dimension."""


def inside_log_partition(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return log Σ_T exp Σ_{arcs of T} logit over the projective trees of each sentence,
    `(batch,)`, in double precision; differentiable. 0 for a sentence without tokens.

    The arguments are those of `matrix_tree_log_partition`.
    """
    arcs, mask, _ = cleaned(logits, mask)
    return _inside(arcs, mask, single_root, lambda values: torch.logsumexp(values, -1))


def best_projective(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return the heads `(batch, n)` of the projective trees with the highest sum of logits (Eisner
    1996); 0 is the root, and the head of a token that does not exist."""
    return _heads_of(logits, mask, single_root, lambda values: values.max(-1).values)


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
        return torch.logsumexp(values, -1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (values,) = ctx.saved_tensors
        noise = torch.empty_like(values).exponential_().log()
        drawn = (values - noise).argmax(-1, keepdim=True)
        return torch.zeros_like(values).scatter(-1, drawn, gradient.unsqueeze(-1))


def _inside(
    arcs: torch.Tensor, mask: torch.Tensor, single_root: bool, reduce: Reduction
) -> torch.Tensor:
    """Return the total over projective trees `(batch,)`.

    A chart holds the total of each span: "from" charts by its first token and its width,
    "to" charts by its last token and its width.
    """
    batch, n = mask.shape
    size = n + 1  # the nodes: the root and the tokens
    # Entry (i, j) is the weight of node i with the head j; the root has no head.
    weights = pad(arcs, (0, 0, 1, 0), value=LOWEST)
    if single_root:
        root = weights[:, :, 0]
        weights = torch.cat([torch.full_like(root, LOWEST).unsqueeze(2), weights[:, :, 1:]], 2)
    zeros = arcs.new_zeros(batch, size, 1)
    right_from = right_to = left_from = left_to = zeros  # whole spans with the head at one end
    arc_from = arc_to = zeros.new_zeros(
        batch, size, 0
    )  # spans of an arc: to the right, to the left
    for width in range(1, size):
        count = size - width
        joined = reduce(right_from[:, :count] + left_to[:, width:].flip(2))
        rightward = joined + weights.diagonal(-width, 1, 2)  # node i is the head of node i + width
        leftward = joined + weights.diagonal(width, 1, 2)
        arc_from, arc_to = _at_start(arc_from, rightward), _at_end(arc_to, leftward)
        right = reduce(arc_from[:, :count] + right_to[:, width:].flip(2))
        left = reduce(left_from[:, :count] + arc_to[:, width:].flip(2))
        right_from, right_to = _at_start(right_from, right), _at_end(right_to, right)
        left_from, left_to = _at_start(left_from, left), _at_end(left_to, left)
    length = mask.sum(1)
    if not single_root:
        return right_from[:, 0].gather(1, length.unsqueeze(1)).squeeze(1)
    # The tree of token i: its left part from the first token, its right part to the last one.
    before = torch.arange(n, device=arcs.device).expand(batch, n)
    after = length.unsqueeze(1) - 1 - before
    left = left_to[:, 1:].gather(2, before.unsqueeze(2)).squeeze(2)
    right = right_from[:, 1:].gather(2, after.clamp(min=0).unsqueeze(2)).squeeze(2)
    total = reduce((arcs[..., 0] + left + right).masked_fill(after < 0, LOWEST))
    return torch.where(length > 0, total, 0.0)


def _at_start(chart: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """Return a chart by first tokens with the spans of the next width."""
    column = pad(spans, (0, chart.shape[1] - spans.shape[1]), value=LOWEST)
    return torch.cat([chart, column.unsqueeze(2)], 2)


def _at_end(chart: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """Return a chart by last tokens with the spans of the next width."""
    column = pad(spans, (chart.shape[1] - spans.shape[1], 0), value=LOWEST)
    return torch.cat([chart, column.unsqueeze(2)], 2)
