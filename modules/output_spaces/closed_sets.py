"""Exact optimisation over the closed sets of a taxonomy: the best set, and the nearest relaxed
point."""

from typing import Optional

import numpy as np
import torch

from .hierarchy import Hierarchy

_TOLERANCE = 1e-12  # of the weight of a set, as a share of the highest weight
_CAPACITY = 2**30  # of the edges of a flow network, whose numbers are whole


def best_closed_set(
    weights: torch.Tensor, hierarchy: Hierarchy, group: Optional[torch.Tensor] = None
) -> torch.Tensor:
    """Return the closed sets with the highest sum of weights `(rows, num_terms)`, bool; of equally
    good ones a smallest.

    In a tree a term is on if its parent is and the best set of its subtree has a positive sum. In a
    DAG the set is the side of the source of a minimum cut (Picard 1976), with weights in units of
    2⁻³⁰ of the sum of the positive ones.

    # Parameters

    group : `torch.Tensor`, optional
        The group of each term, `(rows, num_terms)`; edges between groups do not count.
    """
    weights = weights.double()
    if hierarchy.is_tree:
        return _best_in_forest(weights, hierarchy, group)
    if group is None:
        group = torch.zeros_like(weights, dtype=torch.long)
    # In a group without a wanted term below an unwanted one, the wanted ones are the best set.
    wanted, is_open = weights > 0, torch.zeros_like(group)
    for level in hierarchy.levels[1:]:
        own = group[:, level.children]
        is_violated = wanted[:, level.children] & ~wanted[:, level.parents]
        is_violated &= own == group[:, level.parents]
        is_open.scatter_reduce_(1, own, is_violated.long(), "amax")
    is_open = is_open.gather(1, group) > 0
    if not bool(is_open.any()):
        return wanted
    cut = _best_by_cut(weights.masked_fill(~is_open, 0.0), hierarchy, group)
    return torch.where(is_open, cut, wanted)


def _best_in_forest(
    weights: torch.Tensor, hierarchy: Hierarchy, group: Optional[torch.Tensor]
) -> torch.Tensor:
    least = _TOLERANCE * weights.abs().amax(1, keepdim=True)
    gains, chosen = weights.clone(), torch.zeros_like(weights, dtype=torch.bool)
    for level in reversed(hierarchy.levels[1:]):
        below = gains[:, level.children].clamp(min=0)
        if group is not None:
            below = below * (group[:, level.children] == group[:, level.parents])
        gains.index_add_(1, level.parents, below)
    is_gain = gains > least
    for number, level in enumerate(hierarchy.levels):
        own = is_gain[:, level.terms]
        if number:
            parents = hierarchy.parents[level.terms, 0]
            above = chosen[:, parents]
            if group is not None:
                above = above | (group[:, level.terms] != group[:, parents])
            own = own & above
        chosen[:, level.terms] = own
    return chosen


def _best_by_cut(weights: torch.Tensor, hierarchy: Hierarchy, group: torch.Tensor) -> torch.Tensor:
    """Return the best closed sets of all rows by one maximum flow, over the terms that have a
    weight above 0 or a descendant with one."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    rows, size = weights.shape
    matters = hierarchy.any_below(weights > 0)
    place = torch.full((rows, size), -1, dtype=torch.long, device=weights.device)
    count = int(matters.sum())
    place[matters] = torch.arange(1, count + 1, device=weights.device)
    parts = []
    for level in hierarchy.levels[1:]:
        counts = (place[:, level.children] > 0) & (place[:, level.parents] > 0)
        counts &= group[:, level.children] == group[:, level.parents]
        parts.append(
            torch.stack([place[:, level.children][counts], place[:, level.parents][counts]])
        )
    edges = torch.cat(parts, 1).cpu().numpy()
    total = weights.clamp(min=0).sum(1, keepdim=True)
    units = (weights * (_CAPACITY / total.clamp(min=torch.finfo(weights.dtype).tiny))).round()
    amounts = units.clamp(-_CAPACITY, _CAPACITY)[matters].cpu().numpy().astype(np.int32)
    numbers = np.arange(1, count + 1)
    gain, loss = amounts > 0, amounts < 0
    sink = count + 1
    start = np.concatenate([np.zeros(gain.sum(), dtype=np.int64), numbers[loss], edges[0]])
    end = np.concatenate([numbers[gain], np.full(loss.sum(), sink), edges[1]])
    bound = np.full(edges.shape[1], 2 * _CAPACITY - 1, dtype=np.int32)
    capacity = np.concatenate([amounts[gain], -amounts[loss], bound])
    network = csr_matrix((capacity, (start, end)), shape=(count + 2, count + 2), dtype=np.int32)
    residual = (network - maximum_flow(network, 0, sink).flow).astype(np.int64)
    residual.data = (residual.data > 0).astype(np.int64)
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, 0, return_predecessors=False)
    inside = np.zeros(count + 2, dtype=bool)
    inside[reached] = True
    chosen = torch.zeros_like(matters)
    chosen[matters] = torch.from_numpy(inside[1:-1]).to(weights.device)
    return chosen


def isotonic_groups(values: torch.Tensor, hierarchy: Hierarchy) -> torch.Tensor:
    """Return the groups of terms, each named after one of them, in which the nearest point to
    values `(rows, num_terms)` without a term above its parents is constant: `(rows, num_terms)`.

    A group is parted into the closed set with the highest sum of the differences from its mean, and
    the rest, until no set has a sum above 0 (Luss, Rosset & Shahar 2012). All groups of all rows
    are parted at once.
    """
    values = values.double()
    rows, size = values.shape
    group = torch.zeros_like(values, dtype=torch.long)
    active = torch.arange(rows, device=values.device)
    places = torch.arange(size, device=values.device)
    while len(active):
        own, point = group[active], values[active]
        offset = size * torch.arange(len(active), device=values.device).unsqueeze(1)
        means = _means(point, own)
        differences = point - means
        # Differences of a group that are rounding errors are none.
        scale = point.abs() + means.abs()
        differences = differences.masked_fill(differences.abs() <= _TOLERANCE * scale, 0.0)
        chosen = best_closed_set(differences, hierarchy, own)
        total = _sums(differences * chosen, own)
        chosen &= total > _TOLERANCE * _sums(differences.abs(), own)
        moved = chosen.any(1)
        # The parts of a group have the names of their first members.
        key = (2 * (offset + own) + chosen).flatten()
        names = torch.full((2 * len(active) * size,), size, device=values.device)
        names.scatter_reduce_(0, key, places.expand_as(own).flatten(), "amin")
        group[active] = torch.where(moved.unsqueeze(1), names[key].view_as(own), own)
        active = active[moved]
    return group


def _sums(values: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    """Return the sum of the group of each term."""
    return torch.zeros_like(values).scatter_add(1, group, values).gather(1, group)


def _means(values: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
    return _sums(values, group) / _sums(torch.ones_like(values), group)


def nearest_isotonic(values: torch.Tensor, hierarchy: Hierarchy) -> torch.Tensor:
    """Return the nearest point to values `(rows, num_terms)` in Euclidean distance in which no term
    has more than a parent: isotonic regression. It is differentiable where the groups stay the
    same."""
    is_sound = bool((values <= hierarchy.lowest_parent(values, float("inf"))).all())
    if is_sound:
        return values
    group = isotonic_groups(values.detach(), hierarchy)
    return _means(values.double(), group).to(values.dtype)
