"""Functions along the edges of a taxonomy, for whole batches: levels are passed one by one, terms
of a level and rows together."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch

from ..taxonomy import Taxonomy


class Level(NamedTuple):
    """The terms of one level, and the edges to them.

    # Fields

    terms : `(size,)`.
    parents, children : the ends of the edges, `(num_edges,)`.
    """

    terms: torch.Tensor
    parents: torch.Tensor
    children: torch.Tensor


class Hierarchy:
    """The edges of a taxonomy as tensors. All functions take values `(..., num_terms)`.

    >>> hierarchy = Hierarchy(Taxonomy.from_paths(["a", "a/b", "a/b/c"]))
    >>> hierarchy.product(torch.tensor([0.5, 0.5, 0.5])).tolist()
    [0.5, 0.25, 0.125]
    >>> hierarchy.highest_below(torch.tensor([0.1, 0.3, 0.2])).tolist()
    [0.30000001192092896, 0.30000001192092896, 0.20000000298023224]
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.size = len(taxonomy)
        self.is_tree = taxonomy.is_tree
        depth = torch.from_numpy(taxonomy.levels)
        self.levels: List[Level] = []
        for level in range(int(depth.max()) + 1):
            terms = torch.nonzero(depth == level).flatten()
            edges = [(p, c) for c in terms.tolist() for p in taxonomy.parents[c]]
            ends = torch.tensor(edges, dtype=torch.long).view(-1, 2)
            self.levels.append(Level(terms, ends[:, 0], ends[:, 1]))
        # For each term its parents, or itself, as often as needed.
        most = max((len(own) for own in taxonomy.parents), default=1) or 1
        rows = [(*own, *[(own or (i,))[0]] * most)[:most] for i, own in enumerate(taxonomy.parents)]
        self.parents = torch.tensor(rows, dtype=torch.long)
        # The edges to terms with more than k parents, to their k-th one, and those of each level.
        self._further = [_edges_to_parent(taxonomy, k) for k in range(1, most)]
        self._by_parent = [
            own
            for level in self.levels[1:]
            for k in range(most)
            if (own := _edges_to_parent(taxonomy, k, level.terms.tolist())).shape[1]
        ]
        self.is_root = depth == 0
        self.by_level = torch.cat([level.terms for level in self.levels])
        self.unsorted = self.by_level.argsort()
        place = {term: i for level in self.levels for i, term in enumerate(level.terms.tolist())}
        self._in_level_above = [
            torch.tensor([place[int(p)] for p in level.parents], dtype=torch.long)
            for level in self.levels
        ]
        above = torch.from_numpy(np.concatenate(taxonomy.ancestors))
        counts = torch.tensor([len(each) for each in taxonomy.ancestors])
        self.num_below = torch.bincount(above, minlength=self.size).float()
        self._pairs = torch.stack([torch.arange(self.size).repeat_interleave(counts), above])
        self._matrices: Dict[Tuple[torch.device, torch.dtype, bool], torch.Tensor] = {}
        self._copies: Dict[torch.device, Hierarchy] = {torch.device("cpu"): self}

    def on(self, device: torch.device) -> "Hierarchy":
        """Return the hierarchy on a device."""
        if device not in self._copies:
            copy = object.__new__(Hierarchy)
            copy.__dict__.update(self.__dict__)
            for name, value in self.__dict__.items():
                if isinstance(value, torch.Tensor):
                    setattr(copy, name, value.to(device))
            copy.levels = [Level(*(part.to(device) for part in level)) for level in self.levels]
            for name in ("_in_level_above", "_further", "_by_parent"):
                setattr(copy, name, [places.to(device) for places in getattr(self, name)])
            self._copies[device] = copy
        return self._copies[device]

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Hierarchy":
        return self  # it does not change

    def product(self, values: torch.Tensor) -> torch.Tensor:
        """Return the product over the ancestors of each term and itself, of values in (0, 1];
        differentiable. No term has more than its parent, exactly so in a tree."""
        if not self.is_tree:
            return self.sum_above(values.log()).exp()
        parts: List[torch.Tensor] = []
        for level, places in zip(self.levels, self._in_level_above, strict=True):
            own = values.index_select(-1, level.terms)
            parts.append(own * parts[-1].index_select(-1, places) if parts else own)
        return torch.cat(parts, -1).index_select(-1, self.unsorted)

    def sum_above(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum over the ancestors of each term and itself; differentiable."""
        return self._multiply(values, transposed=False)

    def sum_below(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum over the descendants of each term and itself; differentiable."""
        return self._multiply(values, transposed=True)

    def _multiply(self, values: torch.Tensor, transposed: bool) -> torch.Tensor:
        dtype = torch.promote_types(values.dtype, torch.float32)
        key = (values.device, dtype, transposed)
        if key not in self._matrices:
            pairs = self._pairs.flip(0) if transposed else self._pairs
            ones = torch.ones(pairs.shape[1], dtype=dtype, device=values.device)
            shape = (self.size, self.size)
            matrix = torch.sparse_coo_tensor(pairs, ones, shape, check_invariants=True)
            self._matrices[key] = matrix.coalesce()
        flat = values.reshape(-1, self.size).to(dtype)
        with torch.autocast(values.device.type, enabled=False):
            summed = torch.sparse.mm(self._matrices[key], flat.T).T
        return summed.to(values.dtype).view(values.shape)

    def highest_below(self, values: torch.Tensor) -> torch.Tensor:
        """Return the highest value among the descendants of each term and itself;
        differentiable."""
        for level in reversed(self.levels):
            if len(level.parents):
                index = level.parents.expand(*values.shape[:-1], -1)
                own = values.index_select(-1, level.children)
                values = values.scatter_reduce(-1, index, own, "amax")
        return values

    def lowest_parent(self, values: torch.Tensor, of_roots: float) -> torch.Tensor:
        """Return the lowest value among the parents of each term; differentiable."""
        if self.parents.shape[1] == 1:
            lowest = values.index_select(-1, self.parents[:, 0])
        elif values.requires_grad and torch.is_grad_enabled():
            lowest = values[..., self.parents].amin(-1)
        else:
            rows = self._by_term(values)
            below = rows.index_select(0, self.parents[:, 0])
            for children, parents in self._further:
                below[children] = torch.minimum(below[children], rows[parents])
            lowest = below.T.contiguous().view(values.shape)
        return lowest.masked_fill(self.is_root, of_roots)

    def violations(self, on: torch.Tensor, known: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return how many terms of a bool set are on without one of their parents; a parent that is
        not known is none that is missing."""
        present = on if known is None else on | ~known
        with_parents = self.lowest_parent(present.to(torch.uint8), of_roots=1) > 0
        return (on & ~with_parents).sum(-1)

    def all_above(self, on: torch.Tensor) -> torch.Tensor:
        """Return whether a term and all its ancestors are on: the largest closed set inside a bool
        set."""
        closed = self._by_term(on).clone()
        for children, parents in self._by_parent:
            closed[children] &= closed[parents]
        return closed.T.contiguous().view(on.shape)

    def _by_term(self, values: torch.Tensor) -> torch.Tensor:
        """Return values `(num_terms, rows)`: the values of a term are beside each other, which
        makes whole sets of terms quick to gather."""
        return values.reshape(-1, self.size).T.contiguous()

    def any_below(self, on: torch.Tensor) -> torch.Tensor:
        """Return whether a term or one of its descendants is on: the smallest closed set around a
        bool set."""
        counts = on.to(torch.float32)
        for level in reversed(self.levels[1:]):
            counts = counts.index_add(-1, level.parents, counts[..., level.children])
            counts = counts.clamp_(max=1.0)
        return counts > 0

    def any_child(self, on: torch.Tensor) -> torch.Tensor:
        """Return whether a child of each term is on."""
        counts = torch.zeros(on.shape, dtype=torch.float32, device=on.device)
        for level in self.levels[1:]:
            counts.index_add_(-1, level.parents, on[..., level.children].to(counts.dtype))
        return counts > 0

    def conditionals(self, y: torch.Tensor, low: float, high: float) -> torch.Tensor:
        """Return the values in [low, high] whose `product` is y, or near it where they are at an
        edge; where an ancestor has nearly nothing, (low + high) / 2."""
        parts: List[torch.Tensor] = []
        above = torch.ones_like(y)  # the product over the strict ancestors
        found = torch.full_like(y, (low + high) / 2)
        for level in self.levels:
            if parts:
                if self.is_tree:
                    places = self.parents[level.terms, 0]
                    above[..., level.terms] = above[..., places] * found[..., places]
                else:
                    # Of the terms above, whose values are there; the others have no part yet.
                    logs = torch.zeros_like(y)
                    known = torch.cat(parts)
                    logs[..., known] = found[..., known].log()
                    above[..., level.terms] = self.sum_above(logs)[..., level.terms].exp()
            here = above[..., level.terms]
            own = (y[..., level.terms] / here.clamp(min=torch.finfo(y.dtype).tiny)).clamp(low, high)
            found[..., level.terms] = torch.where(here < 2 * low, (low + high) / 2, own)
            parts.append(level.terms)
        return found


def _edges_to_parent(
    taxonomy: Taxonomy, k: int, terms: Optional[Sequence[int]] = None
) -> torch.Tensor:
    """Return the edges to those of the terms, by default all, that have more than k parents, from
    their k-th one: children and parents, `(2, num_edges)`."""
    places = range(len(taxonomy)) if terms is None else terms
    edges = [(c, taxonomy.parents[c][k]) for c in places if len(taxonomy.parents[c]) > k]
    return torch.tensor(edges, dtype=torch.long).view(-1, 2).T.contiguous()
