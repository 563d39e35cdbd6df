"""The sum over all trees, by the matrix-tree theorem."""

from typing import List, NamedTuple, Optional

import torch
from torch.nn.functional import pad

from .arcs import LOWEST, cleaned


def matrix_tree_log_partition(
    logits: torch.Tensor, mask: Optional[torch.Tensor] = None, single_root: bool = True
) -> torch.Tensor:
    """Return log Σ_T exp Σ_{arcs of T} logit over the trees T of each sentence, `(batch,)`, in
    double precision; differentiable. 0 for a sentence without tokens.

    The sum is a determinant (Tutte 1984; Koo et al. 2007; Smith & Smith 2007). Gaussian elimination
    would subtract nearly equal numbers where the heads of the highest logits form a cycle. The
    elimination of Grassmann, Taksar & Heyman (1985) does not subtract, and runs on logarithms here.

    # Parameters

    logits : `torch.Tensor`
        `(batch, n, n + 1)`.
    mask : `torch.Tensor`, optional
        The tokens that exist, `(batch, n)`.
    single_root : `bool`
        Whether exactly one token has the root as its head.
    """
    arcs, mask, _ = cleaned(logits, mask)
    if arcs.shape[1] == 0:
        return arcs.new_zeros(len(arcs))
    root, heads = arcs[..., 0], arcs[..., 1:]
    # A token that does not exist hangs on the node that is eliminated last, with the weight 1.
    if not single_root:
        weights = torch.cat([root.masked_fill(~mask, 0.0).unsqueeze(2), heads], 2)
        weights = pad(weights, (0, 0, 1, 0), value=LOWEST)  # the root has no head
        return _sum_pivots(_eliminate(weights), arcs)
    first = heads[..., :1].masked_fill(~mask.unsqueeze(2), 0.0)
    steps = _eliminate(torch.cat([first, heads[..., 1:]], 2))
    # The sums over the trees below each token, as shares of that below the first, are those of the
    # stationary distribution of the chain that moves from a token to its head.
    shares = arcs.new_zeros(len(arcs), 1)
    for step in reversed(steps):
        share = torch.logsumexp(shares + step.into, 1) - step.pivot
        shares = torch.cat([shares, share.unsqueeze(1)], 1)
    has_tokens = mask.any(1)
    total = _sum_pivots(steps, arcs) + torch.logsumexp(root + shares, 1)
    return torch.where(has_tokens, total, 0.0)


class _Step(NamedTuple):
    pivot: torch.Tensor  # (batch,), the sum of the weights of the arcs from the eliminated node
    into: torch.Tensor  # (batch, number of nodes left), the weights of the arcs to it


def _eliminate(weights: torch.Tensor) -> List[_Step]:
    """Eliminate the nodes of `(batch, nodes, nodes)`, the last one first, down to node 0: an arc to
    the eliminated node and on becomes one arc. Entry (i, j) is the weight of head j of node i."""
    steps = []
    for k in range(weights.shape[1] - 1, 0, -1):
        out, into = weights[:, k, :k], weights[:, :k, k]
        pivot = torch.logsumexp(out, 1)
        onward = (out - pivot.unsqueeze(1)).unsqueeze(1)
        both = torch.stack([weights[:, :k, :k], into.unsqueeze(2) + onward])
        weights = torch.logsumexp(both, 0)  # the second derivatives of logaddexp are NaN here
        steps.append(_Step(pivot, into))
    return steps


def _sum_pivots(steps: List[_Step], like: torch.Tensor) -> torch.Tensor:
    return torch.stack([like.new_zeros(len(like)), *(step.pivot for step in steps)], 1).sum(1)
