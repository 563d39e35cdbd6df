"""Taxonomies: trees and directed acyclic graphs of labels."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
from allennlp.data import Vocabulary

from ..vocabulary import names
from .files import edges_of
from .structure import check_different, check_names, find_cycle, nested_terms

NAMESPACE = "taxonomy"
"""The namespace of the vocabulary with the edges, `PARENT<tab>CHILD`, and roots, `<tab>TERM`."""
ROOT = "root"
"""The name of the common root of published edges, which is no label."""
LARGEST = 2**20

Edge = Tuple[str, str]


class Taxonomy:
    """A tree or a directed acyclic graph (DAG) of terms, in which a term implies its parents.

    A set of terms is closed if it has all ancestors of its members.

    >>> taxonomy = Taxonomy.from_paths(["a", "a/b", "a/c", "d"])
    >>> [taxonomy.terms[i] for i in taxonomy.close([taxonomy.places["a/c"]])]
    ['a', 'a/c']
    >>> taxonomy.is_tree, taxonomy.levels.tolist()
    (True, [0, 1, 1, 0])

    # Parameters

    terms : `Sequence[str]`
        The names, in the order of the labels.
    parents : `Sequence[Sequence[int]]`
        The places of the parents of each term; a root has none.
    source : `str`
        Where the taxonomy is from, for error messages.

    # Raises

    `ValueError` for a name or a parent that is there twice, an empty name, one with a tab or the
    end of a line, and for a cycle.
    """

    def __init__(
        self, terms: Sequence[str], parents: Sequence[Sequence[int]], source: str = "taxonomy"
    ) -> None:
        check_names(terms, source)
        check_different(terms, source, "terms of different names")
        for term, own in zip(terms, parents, strict=True):
            check_different(
                [terms[place] for place in own], source, f"different parents of '{term}'"
            )
        self.terms = tuple(terms)
        self.parents = tuple(tuple(own) for own in parents)
        self.places = {term: place for place, term in enumerate(terms)}
        self.order = self._topological_order(source)

    @classmethod
    def from_edges(
        cls,
        edges: Iterable[Edge],
        terms: Optional[Sequence[str]] = None,
        source: str = "edges",
    ) -> "Taxonomy":
        """Return the taxonomy of edges from parents to children; a common root of the name `root`
        is no term.

        >>> Taxonomy.from_edges([("root", "a"), ("root", "b"), ("a", "c"), ("b", "c")]).parents
        ((), (), (0, 1))

        # Parameters

        terms : `Sequence[str]`, optional
            All terms, in their order; by default those of the edges, where they come first.

        # Raises

        `ValueError` for a parent that is no term, and for an edge that is there twice.
        """
        edges = [(str(parent), str(child)) for parent, child in edges]
        check_different([f"{a}' → '{b}" for a, b in edges], source, "different edges")
        children = {child for _, child in edges}
        named_root = ROOT if ROOT not in children and terms is None else None
        if terms is None:
            in_order = dict.fromkeys(term for edge in edges for term in edge)
            terms = [term for term in in_order if term != named_root]
        places = {term: place for place, term in enumerate(terms)}
        parents: List[List[int]] = [[] for _ in terms]
        for parent, child in edges:
            for term in (parent, child):
                if term not in places and term != named_root:
                    raise ValueError(
                        f"{source}: expected edges between terms of the taxonomy, got '{parent}' → "
                        f"'{child}', where '{term}' is unknown."
                    )
            if parent != named_root:
                parents[places[child]].append(places[parent])
        return cls(terms, parents, source)

    @classmethod
    def from_paths(
        cls, paths: Iterable[str], separator: str = "/", source: str = "paths"
    ) -> "Taxonomy":
        """Return the tree of paths such as `a/b/c`, whose names they are.

        # Raises

        `ValueError` for a path whose parent is not there, or that is there twice.
        """
        paths = list(paths)
        places = {path: place for place, path in enumerate(paths)}
        parents: List[List[int]] = []
        for path in paths:
            parent, found, name = path.rpartition(separator)
            if not name or (found and not parent):
                raise ValueError(
                    f"{source}: expected paths such as 'a{separator}b', got '{path}', which has an "
                    "empty name."
                )
            if found and parent not in places:
                raise ValueError(
                    f"{source}: expected the parent '{parent}' of '{path}' among the paths, got "
                    "none; add it."
                )
            parents.append([places[parent]] if found else [])
        return cls(paths, parents, source)

    @classmethod
    def from_values(cls, values: Sequence[str], source: str = "values") -> "Taxonomy":
        """Return the taxonomy of the values of a `hierarchical` attribute of ARFF: edges
        `parent/child` where all have two parts, otherwise paths.

        >>> Taxonomy.from_values(["01", "01/01"]).terms
        ('01', '01/01')
        >>> Taxonomy.from_values(["root/GO1", "GO1/GO2"]).terms
        ('GO1', 'GO2')
        """
        parts = [value.split("/") for value in values]
        if all(len(each) == 2 and all(each) for each in parts):
            return cls.from_edges([(each[0], each[1]) for each in parts], source=source)
        return cls.from_paths(values, source=source)

    @classmethod
    def from_json(cls, nested: Any, source: str = "JSON") -> "Taxonomy":
        """Return the tree of nested dictionaries and lists: the keys are terms, the values their
        children, and a leaf is a text, or has the value `null`, `{}` or `[]`.

        >>> Taxonomy.from_json({"animal": {"cat": None, "dog": ["poodle"]}}).terms
        ('animal', 'cat', 'dog', 'poodle')

        # Raises

        `ValueError` for another value, and for a term that is there twice.
        """
        pairs = list(nested_terms(nested, None, source))
        terms = [term for _, term in pairs]
        check_different(terms, source, "terms of different names in a tree")
        places = {term: place for place, term in enumerate(terms)}
        return cls(terms, [[] if p is None else [places[p]] for p, _ in pairs], source)

    @classmethod
    def from_file(cls, path: str) -> "Taxonomy":
        """Return the taxonomy of a file: nested JSON (`.json`), or a path in each line, or an edge,
        `PARENT<tab>CHILD`.

        # Raises

        `ValueError` for another file.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ValueError(f"{path}: expected a taxonomy in UTF-8, got: {reason}.") from None
        lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        if path.endswith(".json"):
            try:
                found = cls.from_json(json.loads(text), path)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}: expected nested JSON, got: {error}.") from None
        elif any("\t" in line for _, line in lines):
            found = cls.from_edges(edges_of(path, lines), source=path)
        else:
            found = cls.from_paths([line.strip() for _, line in lines], source=path)
        if not len(found):
            raise ValueError(f"{path}: expected the terms of a taxonomy, got none.")
        return found

    @classmethod
    def of_vocabulary(cls, vocab: Vocabulary, namespace: str = "labels") -> Optional["Taxonomy"]:
        """Return the taxonomy that a reader wrote to the vocabulary; `None` without one."""
        pairs = [entry.split("\t") for entry in names(vocab, NAMESPACE)]
        if not pairs:
            return None
        edges = [(parent, child) for parent, child in pairs if parent]
        return cls.from_edges(edges, names(vocab, namespace), "vocabulary")

    def entries(self) -> List[str]:
        """Return the entries of the vocabulary that stand for the taxonomy."""
        return [
            f"{self.terms[parent]}\t{term}" if parent >= 0 else f"\t{term}"
            for term, own in zip(self.terms, self.parents, strict=True)
            for parent in (own or (-1,))
        ]

    def reordered(self, terms: Sequence[str]) -> "Taxonomy":
        """Return the same taxonomy with its terms in another order."""
        places = {term: place for place, term in enumerate(terms)}
        parents = [
            [places[self.terms[parent]] for parent in self.parents[self.places[term]]]
            for term in terms
        ]
        return Taxonomy(terms, parents)

    def __len__(self) -> int:
        return len(self.terms)

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Taxonomy":
        return self  # it does not change

    @property
    def is_tree(self) -> bool:
        """Whether no term has several parents (with several roots, it is a forest)."""
        return all(len(own) <= 1 for own in self.parents)

    @cached_property
    def levels(self) -> np.ndarray:
        """The length of the longest path from a root to each term."""
        levels = np.zeros(len(self), dtype=np.int64)
        for place in self.order:
            levels[place] = max((levels[parent] + 1 for parent in self.parents[place]), default=0)
        return levels

    @cached_property
    def ancestors(self) -> Tuple[np.ndarray, ...]:
        """The places of the ancestors of each term and of itself, in rising order."""
        found: List[np.ndarray] = [np.zeros(0, dtype=np.int64)] * len(self)
        for place in self.order:
            above = [found[parent] for parent in self.parents[place]]
            found[place] = np.unique(np.concatenate([*above, np.array([place], dtype=np.int64)]))
        return tuple(found)

    def close(self, places: Iterable[int]) -> np.ndarray:
        """Return the places of terms and of all their ancestors, in rising order."""
        sets = [self.ancestors[place] for place in places]
        return np.unique(np.concatenate(sets)) if sets else np.zeros(0, dtype=np.int64)

    def path(self, place: int) -> str:
        """Return the names from a root to a term, through first parents, with `/` between them; a
        name that begins with that of its parent is a path already."""
        term, own = self.terms[place], self.parents[place]
        if not own or term.startswith(f"{self.terms[own[0]]}/"):
            return term
        return f"{self.path(own[0])}/{term}"

    def closed_sets(self, limit: int = LARGEST) -> np.ndarray:
        """Return all closed sets, bool `(count, len(self))`.

        # Raises

        `ValueError` where there are more than `limit`.
        """
        sets = np.zeros((1, len(self)), dtype=bool)
        for place in self.order:
            may_be_on = sets[:, list(self.parents[place])].all(1)
            with_term = sets[may_be_on].copy()
            with_term[:, place] = True
            sets = np.concatenate([sets, with_term])
            if len(sets) > limit:
                raise ValueError(
                    f"Expected a taxonomy with at most {limit} closed sets to list them, got one "
                    f"of {len(self)} terms with more."
                )
        return sets

    def _topological_order(self, source: str) -> Tuple[int, ...]:
        """Return the places, parents before their children."""
        children: Dict[int, List[int]] = {}
        missing = [len(own) for own in self.parents]
        for place, own in enumerate(self.parents):
            for parent in own:
                children.setdefault(parent, []).append(place)
        order = [place for place, count in enumerate(missing) if not count]
        for place in order:  # it grows
            for child in children.get(place, ()):
                missing[child] -= 1
                if not missing[child]:
                    order.append(child)
        if len(order) < len(self):
            cycle = find_cycle(self.parents, [p for p, count in enumerate(missing) if count])
            path = " → ".join(self.terms[place] for place in cycle)
            raise ValueError(f"{source}: expected a taxonomy without cycles, got '{path}'.")
        return tuple(order)
