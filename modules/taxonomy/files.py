"""Lines of files of taxonomies."""

from typing import List, Tuple

Line = Tuple[int, str]


def edges_of(path: str, lines: List[Line]) -> List[Tuple[str, str]]:
    """Return the edges of lines `PARENT<tab>CHILD`.

    # Raises

    `ValueError` for a line of another form, with its number.
    """
    edges = []
    for number, line in lines:
        parent, *children = (part.strip() for part in line.split("\t"))
        if len(children) != 1 or not parent or not children[0]:
            raise ValueError(
                f"{path}, line {number}: expected an edge, a parent and a child with one tab "
                f"between them, as the file has edges, got {line.strip()[:60]!r}."
            )
        edges.append((parent, children[0]))
    return edges
