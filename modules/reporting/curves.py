"""Plots of every logged value over time."""

from typing import TYPE_CHECKING, Any, Callable, Dict, List

from .run import Curve, Run
from .style import COLOURS, RUNS, in_style, whole_numbers
from .tree import tree_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
TASK = "task"  # the title of the values of the head
MOST = 60  # values of a node; with the hundreds of a metric of many labels, a figure gets too large


@in_style()
def draw_curves(run: Run) -> "Figure":
    """Draw a small plot of each value in training and validation, with a line at the best epoch.

    The values of a node are in rows below its name. Those of a node that has more than 60, such as
    F1 by label, are left out; the title says so.
    """

    def draw(axis: Any, name: str) -> None:
        for part, curve in run.curves[name].items():
            _line(axis, curve, COLOURS[part], "-", part)
        if run.best_epoch is not None:
            axis.axvline(run.best_epoch, color=COLOURS["best"], label="best epoch")

    return _grid(list(run.curves), draw, str(run.folder.name))


@in_style()
def draw_overlay(runs: Dict[str, Run]) -> "Figure":
    """Draw a small plot of each value on the validation data with a line for each of several runs.

    A value without validation is that of training.
    """
    names = dict.fromkeys(name for run in runs.values() for name in run.curves)

    def draw(axis: Any, name: str) -> None:
        for number, (label, run) in enumerate(runs.items()):
            parts = run.curves.get(name, {})
            curve = parts.get("validation", parts.get("training"))
            if curve is not None:
                style = ("-", "--", ":", "-.")[number // len(RUNS) % 4]
                _line(axis, curve, RUNS[number % len(RUNS)], style, label)

    return _grid(list(names), draw, "validation data")


def _grid(names: List[str], draw: Callable[[Any, str], None], title: str) -> "Figure":
    from matplotlib.figure import Figure

    nodes = list(tree_of(names).walk())
    left_out = [node for node in nodes if node.path and len(node.values) > MOST]
    title += "".join(f", without the {len(node.values)} values of {node.path}" for node in left_out)
    rows = [
        ("" if start else node.path or TASK, [*node.values.values()][start : start + COLUMNS])
        for node in nodes
        if node not in left_out
        for start in range(0, len(node.values), COLUMNS)
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
