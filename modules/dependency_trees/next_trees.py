"""The best trees whose arcs may cross, one after the other."""

import heapq
import itertools
from typing import Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import torch

from .arcs import LOWEST, themselves
from .spanning_tree import best_of_one

_TOLERANCE = 1e-12
"""Of sums of logits, as a share of the highest one of an arc."""


def best_crossing_ones(
    labelled: torch.Tensor, mask: torch.Tensor, count: int, single_root: bool
) -> torch.Tensor:
    """Return the entries h · R + r `(batch, count, n)` of the best trees, the best first, of
    cleaned logits `(batch, n, n + 1, R)`; where there are fewer trees, the arcs of tokens to
    themselves.

    The trees but the best one are those without one of its arcs, and the others with that arc
    (Camerini et al. 1980): the arc is the one whose loss costs least.
    """
    num_relations = labelled.shape[3]
    entries = themselves(labelled).repeat(len(mask), count, 1).cpu()
    lengths = mask.sum(1).tolist()
    for row, (arcs, n) in enumerate(zip(labelled.cpu().numpy(), lengths, strict=True)):
        trees = _in_turn(arcs[:n, : n + 1], single_root) if n else ()
        for rank, tree in enumerate(itertools.islice(trees, count)):
            entries[row, rank, :n] = torch.from_numpy(tree.heads * num_relations + tree.relations)
    return entries.to(labelled.device)


class _Tree(NamedTuple):
    heads: np.ndarray  # (n,)
    relations: np.ndarray  # (n,)

    def values(self, arcs: np.ndarray) -> np.ndarray:
        return arcs[np.arange(len(arcs)), self.heads, self.relations]


class _Rest(NamedTuple):
    """A set of trees without those that were found. With `token`, the best of them is the best one
    without the arc of that token in `tree`; otherwise it is `tree`."""

    minus_score: float  # of the best of them
    number: int  # of equal ones the first is the lower number
    arcs: np.ndarray  # (n, n + 1, R), LOWEST where no tree has the arc
    tree: _Tree
    token: Optional[int]


def _in_turn(arcs: np.ndarray, single_root: bool) -> Iterator[_Tree]:
    """Yield the trees of `(n, n + 1, R)`, the best first."""
    numbers = itertools.count()
    rests: List[_Rest] = []

    def add(arcs: np.ndarray, tree: Optional[_Tree]) -> None:
        """Add the trees of `arcs`, of which `tree` is the best."""
        if tree is not None:
            score = tree.values(arcs).sum()
            heapq.heappush(rests, _Rest(-score, next(numbers), arcs, tree, None))

    def add_others(arcs: np.ndarray, tree: _Tree) -> None:
        """Add the trees of `arcs` but the best one."""
        loss, token = _cheapest_loss(arcs, tree)
        if token is not None:
            score = tree.values(arcs).sum() - loss
            heapq.heappush(rests, _Rest(-score, next(numbers), arcs, tree, token))

    add(arcs, _best(arcs, single_root))
    while rests:
        rest = heapq.heappop(rests)
        tree, arcs = rest.tree, rest.arcs
        if rest.token is not None:
            without, with_arc = arcs.copy(), arcs.copy()
            place = rest.token, tree.heads[rest.token], tree.relations[rest.token]
            without[place] = with_arc[rest.token] = LOWEST
            with_arc[place] = arcs[place]
            add_others(with_arc, tree)
            best = _best(without, single_root=False)
            assert best is not None  # `_cheapest_loss` has seen it
            tree, arcs = best, without
        yield tree
        if rest.token is None and single_root:
            # The trees that have the same root, and those that have another one.
            root = tree.heads == 0
            other_root, arcs = arcs.copy(), arcs.copy()
            other_root[root, 0] = arcs[~root, 0] = arcs[root, 1:] = LOWEST
            add(other_root, _best(other_root, single_root=True))
        add_others(arcs, tree)


def _best(arcs: np.ndarray, single_root: bool) -> Optional[_Tree]:
    """Return the best tree of `(n, n + 1, R)`; `None` where there is none."""
    heads = best_of_one(arcs.max(2), single_root)
    tree = _Tree(heads, arcs[np.arange(len(arcs)), heads].argmax(1))
    is_tree = tree.values(arcs).min() > LOWEST / 2 and not (single_root and (heads == 0).sum() > 1)
    return tree if is_tree else None


def _cheapest_loss(arcs: np.ndarray, tree: _Tree) -> Tuple[float, Optional[int]]:
    """Return the loss of score without one arc of the best tree of `(n, n + 1, R)`, the least of
    all its arcs, and the token of that arc; `None` where there is no other tree.

    The loss of an arc into a node, also one of those into which Chu & Liu and Edmonds contract a
    cycle, is its weight minus that of the best arc from a node that is not below.
    """
    n = len(arcs)
    # Of the relations of other arcs the best one matters; that of an arc of the tree gives way to
    # the next one.
    others = arcs.copy()
    others[np.arange(n), tree.heads, tree.relations] = LOWEST
    others = others.max(2)
    weights, own = arcs.max(2), tree.values(arcs)
    below = _below(tree.heads)
    tolerance = _TOLERANCE * (1 + np.abs(weights[weights > LOWEST / 2]).max())
    node = np.arange(n + 1)  # the contracted node of each node
    paid = np.zeros(n)  # the weights of the arcs that a contraction took, for each token
    source = {}  # the chosen source of the arc into a node
    cheapest, cheapest_token = -LOWEST / 2, None
    waiting = [np.array([token]) for token in range(n)]  # tokens of the nodes without an arc
    while waiting:
        tokens = waiting.pop()
        here = node[tokens[0] + 1]
        outside = node != here
        into = np.where(outside, weights[tokens], LOWEST) - paid[tokens, None]
        row, head = np.unravel_index(into.argmax(), into.shape)
        best = into[row, head]
        (entry,) = tokens[outside[tree.heads[tokens]]]
        if own[entry] - paid[entry] >= best - tolerance:
            allowed = outside & ~below[entry]
            best, head = own[entry] - paid[entry], tree.heads[entry]
            instead = np.where(allowed, weights[tokens], LOWEST)
            instead[tokens == entry] = np.where(allowed, others[entry], LOWEST)
            loss = best - (instead - paid[tokens, None]).max()
            if loss < cheapest:
                cheapest, cheapest_token = loss, int(entry)
        source[here] = head, best
        cycle, at = [here], node[head]
        while at != here and at in source:
            cycle.append(at)
            at = node[source[at][0]]
        if at == here:
            new = max(node.max(), *source) + 1
            for part in cycle:
                inside = node == part
                paid[inside[1:]] += source[part][1]
                node[inside] = new
            waiting.append(np.flatnonzero(node[1:] == new))
    return max(cheapest, 0.0), cheapest_token


def _below(heads: np.ndarray) -> np.ndarray:
    """Return which nodes are a token or below it, bool `(n, n + 1)`."""
    n = len(heads)
    below = np.zeros((n, n + 1), dtype=bool)
    above = np.append(0, heads)
    at = np.arange(n + 1)
    while at.any():
        below[at[at > 0] - 1, np.flatnonzero(at)] = True
        at = above[at]
    return below
