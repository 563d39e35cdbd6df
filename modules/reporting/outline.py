"""The tree of logged values as an outline, with a small curve for each value."""

from typing import Dict, List, NamedTuple, Optional, Sequence

from .history import PARTS, Curve, History
from .style import COLOURS

WIDTH, HEIGHT, MARGIN = 120.0, 22.0, 2.0  # of a small curve, in pixels


class Leaf(NamedTuple):
    """A value of the tree.

    # Fields

    name : without its node.
    sparkline : SVG.
    best, last : by part, in the best epoch and in the last one.
    """

    name: str
    sparkline: str
    best: Dict[str, Optional[float]]
    last: Dict[str, Optional[float]]


class Node(NamedTuple):
    """A node with its values and its children."""

    name: str
    leaves: List[Leaf]
    children: List["Node"]


def outline_of(history: History) -> Node:
    """The whole tree; the values of its head are the metrics of the task and the losses."""
    head = Node("model", [], [])
    nodes = {"": head}

    def node(path: str) -> Node:
        if path not in nodes:
            above, _, name = path.rpartition(".")
            nodes[path] = Node(name, [], [])
            node(above).children.append(nodes[path])
        return nodes[path]

    for name, curves in history.curves.items():
        path, _, last = name.rpartition(".")
        node(path).leaves.append(
            Leaf(
                last,
                sparkline(curves),
                {part: at_epoch(curves.get(part), history.best_epoch) for part in PARTS},
                {part: curves[part].values[-1] if part in curves else None for part in PARTS},
            )
        )
    return head


def at_epoch(curve: Optional[Curve], epoch: Optional[int]) -> Optional[float]:
    """The value of an epoch, where there is one."""
    if curve is None or epoch not in curve.epochs:
        return None
    return curve.values[curve.epochs.index(epoch)]


def sparkline(curves: Dict[str, Curve]) -> str:
    """Training and validation as small lines over one range."""
    values = [value for curve in curves.values() for value in curve.values if _finite(value)]
    epochs = [epoch for curve in curves.values() for epoch in curve.epochs]
    if not values:
        return ""
    low, high = min(values), max(values)
    first, last = min(epochs), max(epochs)

    def place(value: float, start: float, end: float, size: float) -> float:
        share = 0.5 if end == start else (value - start) / (end - start)
        return MARGIN + share * (size - 2 * MARGIN)

    lines = [
        _line(
            [
                (place(epoch, first, last, WIDTH), HEIGHT - place(value, low, high, HEIGHT))
                for epoch, value in zip(curve.epochs, curve.values, strict=True)
                if _finite(value)
            ],
            COLOURS[part],
        )
        for part, curve in curves.items()
    ]
    return (
        f'<svg class="sparkline" width="{WIDTH:.0f}" height="{HEIGHT:.0f}" role="img">'
        f"<title>{low:.4g} to {high:.4g}, epochs {first} to {last}</title>{''.join(lines)}</svg>"
    )


def _line(points: Sequence[tuple], colour: str) -> str:
    if len(points) == 1:
        ((x, y),) = points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.3" points="{path}"/>'


def _finite(value: float) -> bool:
    return abs(value) < float("inf")
