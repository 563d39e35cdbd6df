"""Every logged value over time."""

from typing import TYPE_CHECKING, Any, Callable, Dict, List

from .history import Curve, History
from .style import COLOURS, RUNS, in_style, whole_numbers

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

    def draw(axis: Any, name: str) -> None:
        for part, curve in history.curves[name].items():
            _line(axis, curve, COLOURS[part], "-", part)
        if history.best_epoch is not None:
            axis.axvline(history.best_epoch, color=COLOURS["best"], label="best epoch")

    return _grid(list(history.curves), draw, str(history.folder.name))


@in_style()
def draw_overlay(histories: Dict[str, History]) -> "Figure":
    """The same of several runs in one colour each, by name: each value on the validation data, or
    in training where it is not there."""
    names = dict.fromkeys(name for history in histories.values() for name in history.curves)

    def draw(axis: Any, name: str) -> None:
        for number, (run, history) in enumerate(histories.items()):
            parts = history.curves.get(name, {})
            curve = parts.get("validation", parts.get("training"))
            if curve is not None:
                style = ("-", "--", ":", "-.")[number // len(RUNS) % 4]
                _line(axis, curve, RUNS[number % len(RUNS)], style, run)

    return _grid(list(names), draw, "validation data")


def _grid(names: List[str], draw: Callable[[Any, str], None], title: str) -> "Figure":
    from matplotlib.figure import Figure

    rows = [
        (node if start == 0 else "", group[start : start + COLUMNS])
        for node, group in groups_of(names).items()
        for start in range(0, len(group), COLUMNS)
    ]
    figure = Figure(figsize=(2.7 * COLUMNS, 1.75 * len(rows) + 0.6), layout="constrained")
    axes = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for (node, group), row in zip(rows, axes, strict=True):
        for name, axis in zip(group, row, strict=False):
            draw(axis, name)
            whole_numbers(axis)
            axis.set_title(name.rpartition(".")[2])
        for axis in row[len(group) :]:
            axis.set_axis_off()
        if node:
            row[0].text(-0.02, 1.3, node, transform=row[0].transAxes, weight="bold", fontsize=9)
    figure.supxlabel("epoch", fontsize=8)
    handles = {line.get_label(): line for axis in axes.flat for line in axis.get_lines()}
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper right", ncols=3, frameon=False
    )
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _line(axis: Any, curve: Curve, colour: str, style: str, label: str) -> None:
    marker = "o" if len(curve.epochs) == 1 else None  # a single epoch is a point
    axis.plot(curve.epochs, curve.values, style, color=colour, marker=marker, label=label)
