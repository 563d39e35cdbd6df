"""The arcs of y, logits and potentials of dependency trees."""

import torch
from torch.nn.functional import one_hot

from ..dependency_trees import candidates, is_projective, value_at

LOW = -1e9
"""The logit of an arc that is not possible."""
_GAP = 1e6
"""The difference of logits that marks a token that does not exist."""


def _themselves(values: torch.Tensor) -> torch.Tensor:
    """Return where `(num_tokens, (num_tokens + 1) · R)` has the arcs of tokens to themselves with
    the first relation."""
    n, size = values.shape[-2:]
    column = (torch.arange(n, device=values.device) + 1) * (size // (n + 1))
    return column.unsqueeze(-1) == torch.arange(size, device=values.device)


def absent_tokens(values: torch.Tensor) -> torch.Tensor:
    """Return the tokens that do not exist, bool `(..., num_tokens)`: their arc to themselves is the
    only one in y, or the only one that is not low in logits and potentials."""
    if not values.shape[-2]:
        return torch.zeros(values.shape[:-1], dtype=torch.bool, device=values.device)
    itself = _themselves(values)
    own = values.masked_fill(~itself, 0.0).sum(-1)
    others = values.masked_fill(itself, -torch.inf).amax(-1)
    lowest = values.masked_fill(itself, torch.inf).amin(-1)
    return (own - others >= _GAP) | ((own == 1) & (others == 0) & (lowest == 0))


def as_absent(
    values: torch.Tensor, absent: torch.Tensor, others: float, itself: float
) -> torch.Tensor:
    """Return the values with those of tokens that do not exist, `absent` `(..., num_tokens)`, set:
    `itself` for the arc to itself, `others` for the rest."""
    mark = torch.full_like(values[(0,) * (values.dim() - 2)], others)
    mark = mark.masked_fill(_themselves(values), itself)
    return torch.where(absent.unsqueeze(-1), mark, values)


def possible_arcs(absent: torch.Tensor, num_relations: int) -> torch.Tensor:
    """Return the entries in use, bool `(..., num_tokens, (num_tokens + 1) · R)`: arcs between
    tokens that exist and from the root, and the mark of each other token."""
    arcs = candidates(~absent).repeat_interleave(num_relations, -1)
    return arcs | (absent.unsqueeze(-1) & _themselves(arcs))


def possible_moves(
    y: torch.Tensor, num_relations: int, single_root: bool, projective: bool
) -> torch.Tensor:
    """Return the entries, bool like y, whose arc may take the place of that of its token in the
    trees y, so that the result is a tree."""
    absent = absent_tokens(y)
    arcs = y.unflatten(-1, (-1, num_relations)).sum(-1)
    n = arcs.shape[-2]
    above = arcs[..., 1:] + torch.eye(n, dtype=y.dtype, device=y.device)
    for _ in range(max(n, 1).bit_length()):
        above = ((above @ above) > 0.5).to(y.dtype)
    # Token i may not hang on a token that has i above it.
    heads = torch.nn.functional.pad(above.transpose(-1, -2) < 0.5, (1, 0), value=True)
    if single_root:
        is_top = arcs[..., :1] > 0.5
        columns = torch.arange(n + 1, device=y.device) == 0
        heads = heads & (is_top == columns)
    if projective:
        heads = heads & _stay_projective(arcs.argmax(-1).masked_fill(absent, 0), ~absent)
    moves = heads.repeat_interleave(num_relations, -1) & (y < 0.5)
    return moves & possible_arcs(absent, num_relations)


def moved_trees(y: torch.Tensor, may_move: torch.Tensor) -> torch.Tensor:
    """Return the trees `(batch, num_tokens, size − 1, *event_shape)` that differ from the trees y
    `(batch, *event_shape)` in the arc of one token; y where the move is not possible."""
    batch, n, size = y.shape
    values = y.argmax(-1)
    step = torch.arange(1, size, device=y.device)
    place = (values.unsqueeze(-1) + step) % size  # (batch, n, size − 1), of each position
    turned = one_hot(place, size).to(y.dtype)
    only = torch.eye(n, dtype=torch.bool, device=y.device).view(1, n, 1, n, 1)
    possible = may_move.gather(-1, place).view(batch, n, size - 1, 1, 1)
    return torch.where(only & possible, turned.unsqueeze(3), y[:, None, None])


def _stay_projective(heads: torch.Tensor, exists: torch.Tensor) -> torch.Tensor:
    """Return the heads, bool `(..., n, n + 1)`, with which in place of one the tree of heads `(...,
    n)` has no arcs that cross."""
    n = heads.shape[-1]
    only = torch.eye(n, dtype=torch.bool, device=heads.device).unsqueeze(1)
    others = torch.arange(n + 1, device=heads.device).view(-1, 1)
    changed = torch.where(only, others, heads[..., None, None, :])
    return is_projective(changed, exists[..., None, None, :].expand_as(changed))


def labels_of(
    logits: torch.Tensor, heads: torch.Tensor, uniform: torch.Tensor, num_relations: int
) -> torch.Tensor:
    """Return the labels of heads `(batch, num_samples, num_tokens)`, with the relations at uniform
    numbers of the logits `(batch, *event_shape)` of each head."""
    labels = 1 + heads * num_relations
    if num_relations > 1:
        rows = torch.arange(len(logits), device=heads.device).view(-1, 1, 1)
        tokens = torch.arange(heads.shape[2], device=heads.device)
        of_heads = logits.unflatten(-1, (-1, num_relations))[rows, tokens, heads]
        labels = labels + value_at(of_heads.softmax(-1), uniform).values
    return labels.masked_fill(absent_tokens(logits).unsqueeze(1), 0)
