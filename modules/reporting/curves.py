"""Every logged value over time."""

from typing import TYPE_CHECKING, Any, Dict, List

from .history import Curve, History
from .style import COLOURS, in_style, whole_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
TASK = "task"  # the group of what has no node


def groups_of(names: List[str]) -> Dict[str, List[str]]:
    """The names by the node that they belong to, what belongs to none first.

    >>> groups_of(["f1", "loss.value", "loss.part.value", "loss.score"])
    {'task': ['f1'], 'loss': ['loss.value', 'loss.score'], 'loss.part': ['loss.part.value']}
    """
    groups: Dict[str, List[str]] = {}
    for name in names:
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    return {node or TASK: groups[node] for node in sorted(groups)}


@in_style()
def draw_curves(history: History) -> "Figure":
    """A small plot for each value, those of a node in rows below its name: training and validation
    over the epochs, and where the best epoch is."""
    from matplotlib.figure import Figure

    groups = groups_of(list(history.curves))
    rows = [
        (node if start == 0 else "", names[start : start + COLUMNS])
        for node, names in groups.items()
        for start in range(0, len(names), COLUMNS)
    ]
    figure = Figure(figsize=(2.7 * COLUMNS, 1.75 * len(rows) + 0.6), layout="constrained")
    axes = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for (node, names), row in zip(rows, axes, strict=True):
        for name, axis in zip(names, row, strict=False):
            _draw(axis, history.curves[name], history)
            axis.set_title(name.rpartition(".")[2])
        for axis in row[len(names) :]:
            axis.set_axis_off()
        if node:
            row[0].text(-0.02, 1.3, node, transform=row[0].transAxes, weight="bold", fontsize=9)
    figure.supxlabel("epoch", fontsize=8)
    handles = {line.get_label(): line for axis in axes.flat for line in axis.get_lines()}
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper right", ncols=3, frameon=False
    )
    figure.suptitle(str(history.folder.name), x=0.01, ha="left")
    return figure


def _draw(axis: Any, curves: Dict[str, Curve], history: History) -> None:
    for part, curve in curves.items():
        # A single epoch is a point.
        marker = "o" if len(curve.epochs) == 1 else None
        axis.plot(curve.epochs, curve.values, color=COLOURS[part], marker=marker, label=part)
    if history.best_epoch is not None:
        axis.axvline(history.best_epoch, color=COLOURS["best"], label="best epoch")
    whole_numbers(axis)
