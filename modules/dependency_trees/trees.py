"""Sums, probabilities and best trees, projective or not."""

from typing import Optional

import torch

from .matrix_tree import matrix_tree_log_partition
from .projective import best_projective, inside_log_partition
from .spanning_tree import best_tree, is_projective, is_tree


def log_partition(
    logits: torch.Tensor,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> torch.Tensor:
    """Return log Σ_T exp Σ_{arcs of T} logit, `(batch,)`, in double precision; differentiable."""
    total = inside_log_partition if projective else matrix_tree_log_partition
    return total(logits, mask, single_root)


def best_heads(
    logits: torch.Tensor,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> torch.Tensor:
    """Return the heads `(batch, n)` of the trees with the highest sum of logits."""
    best = best_projective if projective else best_tree
    return best(logits, mask, single_root)


def are_trees(
    heads: torch.Tensor,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> torch.Tensor:
    """Return whether heads `(..., n)` form a tree, `(...)`, and with `projective` one whose arcs do
    not cross; a token that does not exist must have the head 0."""
    good = is_tree(heads, mask, single_root)
    return good & is_projective(heads, mask) if projective else good


def marginals(
    logits: torch.Tensor,
    mask: Optional[torch.Tensor] = None,
    single_root: bool = True,
    projective: bool = False,
) -> torch.Tensor:
    """Return the probability of each arc under p(T) ∝ exp Σ logit, shaped like the logits: the
    gradient of the log-partition function; differentiable where the logits are."""
    recorded = torch.is_grad_enabled() and logits.requires_grad
    with torch.enable_grad():
        leaf = logits if recorded else logits.detach().requires_grad_()
        total = log_partition(leaf, mask, single_root, projective).sum()
        (found,) = torch.autograd.grad(total, leaf, create_graph=recorded)
    return found
