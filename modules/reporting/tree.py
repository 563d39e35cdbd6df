"""Dotted names grouped into the tree that they belong to."""

from typing import Dict, Iterable, Iterator, List, NamedTuple


class Node(NamedTuple):
    """A node of the tree of logged values.

    # Fields

    path : the dotted name of the node, empty for the head.
    values : the dotted names of its values, by their last part.
    children : sorted by name.
    """

    path: str
    values: Dict[str, str]
    children: List["Node"]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def depth(self) -> int:
        """The number of nodes above this one."""
        return self.path.count(".") + 1 if self.path else 0

    def walk(self) -> Iterator["Node"]:
        """Yield this node, then the nodes below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree_of(names: Iterable[str]) -> Node:
    """Return the head of the tree that the dotted names describe.

    The values of a node keep the order of the names.

    >>> for node in tree_of(["f1", "loss.value", "loss.part.value", "loss.score"]).walk():
    ...     print(node.depth, repr(node.name), [*node.values])
    0 '' ['f1']
    1 'loss' ['value', 'score']
    2 'part' ['value']
    """
    nodes = {"": Node("", {}, [])}

    def node_at(path: str) -> Node:
        if path not in nodes:
            nodes[path] = Node(path, {}, [])
            siblings = node_at(path.rpartition(".")[0]).children
            siblings.append(nodes[path])
            siblings.sort(key=lambda node: node.path)
        return nodes[path]

    for name in names:
        path, _, last = name.rpartition(".")
        node_at(path).values[last] = name
    return nodes[""]
