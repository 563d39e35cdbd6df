"""Draws of trees, token by token."""

from typing import NamedTuple, Optional, Tuple

import torch

from .arcs import Cleaned, candidates, cleaned
from .spanning_tree import is_tree
from .trees import log_partition, marginals


class Drawn(NamedTuple):
    """Values drawn at uniform numbers."""

    values: torch.Tensor
    rest: torch.Tensor
    """Where in the share of its value each number is: uniform numbers, whatever the values."""


_TOLERANCE = 1e-9
"""Of the log-partition function by determinants, against the one without subtraction."""


def draw_trees(
    logits: torch.Tensor,
    uniform: torch.Tensor,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> Drawn:
    """Return the heads `(batch, num_samples, n)` of the trees at uniform numbers `(batch,
    num_samples, n)`: exact draws from p(T) ∝ exp Σ logit where the numbers are random.

    The head of each token is drawn given those of the tokens before it (Colbourn et al. 1996). Of
    trees that may cross, its probabilities follow from an inverse that is updated in O(n²) (Zmigrod
    et al. 2021). Of projective trees, and where determinants lose digits, they are the marginals of
    the trees that have the heads so far.
    """
    arcs = cleaned(logits.detach(), mask)
    num_samples, n = uniform.shape[1:]
    if n == 0:
        return Drawn(uniform.long(), uniform)
    if arcs.order is not None:
        uniform = uniform.take_along_dim(arcs.order.unsqueeze(1), 2)
    slow = torch.ones(len(logits), dtype=torch.bool, device=logits.device)
    drawn = Drawn(torch.zeros_like(uniform, dtype=torch.long), uniform.double())
    if not projective:
        drawn, slow = _by_inverses(arcs, uniform, single_root)
    rows = slow.nonzero().flatten()
    if len(rows):
        each, exists = (part[rows].repeat_interleave(num_samples, 0) for part in arcs[:2])
        other = _by_marginals(each, uniform[rows].flatten(0, 1), exists, single_root, projective)
        parts = (
            part.index_copy(0, rows, new.view(-1, num_samples, n))
            for part, new in zip(drawn, other, strict=True)
        )
        drawn = Drawn(*parts)
    heads = drawn.values.masked_fill(~arcs.mask.unsqueeze(1), 0)
    if arcs.order is None:
        return Drawn(heads, drawn.rest)
    order = arcs.order.repeat_interleave(num_samples, 0)
    heads = arcs._replace(order=order).restored(heads.flatten(0, 1)).view_as(heads)
    return Drawn(heads, drawn.rest.take_along_dim(arcs.order.argsort(1).unsqueeze(1), 2))


def value_at(probabilities: torch.Tensor, uniform: torch.Tensor) -> Drawn:
    """Return the value of each distribution `(..., size)` at uniform numbers `(...)`."""
    sums = probabilities.clamp(min=0.0).cumsum(-1)
    # The number is below the total, so that the value has a probability above 0.
    numbers = (uniform * sums[..., -1]).unsqueeze(-1)
    values = (sums <= numbers).sum(-1, keepdim=True).clamp(max=probabilities.shape[-1] - 1)
    below = torch.nn.functional.pad(sums, (1, 0)).gather(-1, values)
    rest = (numbers - below) / (sums.gather(-1, values) - below)
    return Drawn(values.squeeze(-1), rest.nan_to_num(0.0).clamp(0.0, 1.0).squeeze(-1))


def _by_marginals(
    logits: torch.Tensor,
    uniform: torch.Tensor,
    mask: torch.Tensor,
    single_root: bool,
    projective: bool,
) -> Drawn:
    """Return heads `(rows, n)` of logits `(rows, n, n + 1)`."""
    # More than any difference between trees, so that no tree has another head than one that is set.
    real = candidates(mask)
    highest = logits.amax(2)
    spread = (highest - logits.masked_fill(~real, torch.inf).amin(2)).masked_fill(~mask, 0.0).sum(1)
    others = (highest - spread.unsqueeze(1) - 100.0).unsqueeze(2)
    drawn = []
    for i in range(logits.shape[1]):
        chances = marginals(logits, mask, single_root, projective)[:, i]
        drawn.append(value_at(chances, uniform[:, i].double()))
        head = drawn[-1].values.unsqueeze(1)
        taken = logits[:, i].gather(1, head)
        row = others[:, i].expand_as(logits[:, i]).scatter(1, head, taken)
        logits = torch.cat([logits[:, :i], row.unsqueeze(1), logits[:, i + 1 :]], 1)
    return Drawn(*(torch.stack(part, 1) for part in zip(*drawn, strict=True)))


def _by_inverses(
    arcs: Cleaned, uniform: torch.Tensor, single_root: bool
) -> Tuple[Drawn, torch.Tensor]:
    """Return heads `(batch, num_samples, n)`, and the sentences `(batch,)` whose determinant loses
    digits, so that their heads may be wrong."""
    mask = arcs.mask
    n = mask.shape[1]
    logits = arcs.logits - arcs.logits.amax(2, keepdim=True).masked_fill(~mask.unsqueeze(2), 0.0)
    weights = logits.exp()
    identity = torch.eye(n, dtype=logits.dtype, device=logits.device)
    vectors = _vectors(identity, single_root)
    matrix = torch.einsum("bih,ihk->bik", weights, vectors)
    matrix = torch.where(mask.unsqueeze(2), matrix, identity)
    sign, log_determinant = torch.linalg.slogdet(matrix)
    exact = log_partition(logits, mask, single_root)
    near = (log_determinant - exact).abs() <= _TOLERANCE * (1 + exact.abs())
    fast = (sign > 0) & near
    inverse = torch.linalg.inv(torch.where(fast[:, None, None], matrix, identity))
    inverse = inverse.unsqueeze(1).expand(-1, uniform.shape[1], -1, -1)
    drawn = []
    for i in range(n):
        # With the vector r in place of row i, the determinant is multiplied by
        # r · (column i of the inverse).
        column = inverse[..., i]
        chances = weights[:, None, i] * (column @ vectors[i].T)
        drawn.append(value_at(chances, uniform[..., i].double()))
        head = drawn[-1].values.masked_fill(~mask[:, i, None], 0)
        row = torch.where(mask[:, i, None, None], vectors[i][head], identity[i])
        change = (row.unsqueeze(2) @ inverse).squeeze(2) - identity[i]
        share = column / (row * column).sum(2, keepdim=True)
        inverse = inverse - share.unsqueeze(3) * change.unsqueeze(2)
    heads, rest = (torch.stack(part, -1) for part in zip(*drawn, strict=True))
    heads = heads.masked_fill(~mask.unsqueeze(1), 0)
    correct = is_tree(heads, mask.unsqueeze(1).expand_as(heads), single_root).all(1)
    return Drawn(heads, rest), ~(fast & correct)


def _vectors(identity: torch.Tensor, single_root: bool) -> torch.Tensor:
    """Return r `(n, n + 1, n)`: row i of the Laplacian is Σ_h weight_ih r_ih, with e_i − e_h for
    the token h and e_i for the root. With a single root the root has the first column to itself
    (Koo et al. 2007)."""
    n = len(identity)
    from_tokens = identity.unsqueeze(1) - identity.unsqueeze(0)
    from_root = identity
    if single_root:
        from_tokens = from_tokens.index_fill(2, torch.zeros_like(identity[0, :1]).long(), 0.0)
        from_root = identity[:1].expand(n, n)
    return torch.cat([from_root.unsqueeze(1), from_tokens], 1)
