"""The values of a run with a small curve each, for the outline of its tree."""

from typing import Dict, NamedTuple, Optional, Sequence

from .run import PARTS, Curve, Run
from .style import COLOURS

WIDTH, HEIGHT, MARGIN = 120.0, 22.0, 2.0  # of a small curve, in pixels


class Leaf(NamedTuple):
    """A value of the tree.

    # Fields

    sparkline : SVG.
    best, last : by part, in the best epoch and in the last one.
    """

    sparkline: str
    best: Dict[str, Optional[float]]
    last: Dict[str, Optional[float]]


def leaves_of(run: Run) -> Dict[str, Leaf]:
    """Return the values of a run by dotted name."""
    return {
        name: Leaf(
            sparkline(curves),
            {part: at_epoch(curves.get(part), run.best_epoch) for part in PARTS},
            {part: curves[part].values[-1] if part in curves else None for part in PARTS},
        )
        for name, curves in run.curves.items()
    }


def at_epoch(curve: Optional[Curve], epoch: Optional[int]) -> Optional[float]:
    """Return the value of an epoch; `None` where the curve has none."""
    if curve is None or epoch not in curve.epochs:
        return None
    return curve.values[curve.epochs.index(epoch)]


def sparkline(curves: Dict[str, Curve]) -> str:
    """Return small lines of training and validation over one range, as SVG."""
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
