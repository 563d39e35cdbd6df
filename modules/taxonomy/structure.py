"""Checks of the structure of taxonomies."""

from collections import Counter
from typing import Any, Iterator, List, Optional, Sequence, Tuple


def check_different(values: Sequence[str], source: str, what: str) -> None:
    """Raise `ValueError` where a value is there twice."""
    if len(set(values)) < len(values):
        twice = next(value for value, count in Counter(values).items() if count > 1)
        raise ValueError(f"{source}: expected {what}, got '{twice}' twice.")


def check_names(terms: Sequence[str], source: str) -> None:
    """Raise `ValueError` for a name that no line of a file can have."""
    for term in terms:
        if not term or set(term) & set("\t\r\n"):
            raise ValueError(
                f"{source}: expected names of terms that are not empty, without tabs and ends of "
                f"lines, got {term!r:.60}."
            )


def nested_terms(
    nested: Any, parent: Optional[str], source: str
) -> Iterator[Tuple[Optional[str], str]]:
    """Yield the terms of nested JSON with their parents."""
    if isinstance(nested, dict):
        for term, below in nested.items():
            yield parent, term
            yield from nested_terms(below, term, source)
    elif isinstance(nested, list):
        for each in nested:
            yield from nested_terms(each, parent, source)
    elif isinstance(nested, str):
        yield parent, nested
    elif nested is not None:
        raise ValueError(
            f"{source}: expected names, lists and dictionaries of terms, got {nested!r:.40}."
        )


def find_cycle(parents: Sequence[Sequence[int]], places: List[int]) -> List[int]:
    """Return the places of a cycle, from parents to children, of places on or below cycles.

    >>> find_cycle([[1], [2], [1]], [0, 1, 2])
    [1, 2, 1]
    """
    among, walk = set(places), [places[0]]
    while True:
        walk.append(next(parent for parent in parents[walk[-1]] if parent in among))
        if walk[-1] in walk[:-1]:
            return walk[walk.index(walk[-1]) :][::-1]
