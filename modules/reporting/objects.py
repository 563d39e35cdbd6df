"""The tree, the metrics and the plots of a run as objects, without a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional

from ..models import StructuredEnergyModel
from ..vocabulary import names
from .curves import draw_curves
from .diagnosis import diagnose
from .outline import at_epoch
from .plots import draw_all
from .run import PARTS, Run
from .style import save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Dict[str, Any]


def metrics_by_part(run: Run) -> Dict[str, Dict[str, Optional[float]]]:
    """Return the metrics of the task and the losses by name and part: of the best epoch in training
    and validation, and of the test data; `None` where a part does not have one."""
    test = run.metrics["test"]
    known = [name for name in run.curves if "." not in name]
    known += [name for name in test if "." not in name and name not in known]
    return {
        name: {
            **_best(run, name),
            "test": test.get(name),
        }
        for name in known
    }


def metrics_of_run(run: Run) -> List[Row]:
    """Return a row for each metric of the task and each loss: `metric`, and its value in `training`
    and `validation` in the best epoch, and in `test`."""
    return [{"metric": name, **values} for name, values in metrics_by_part(run).items()]


def tree_of_run(run: Run) -> List[Row]:
    """Return a row for each value of the tree: its dotted `name`, the `node` that logs it, the last
    part of the name as `value`, and what it was in `training` and `validation` in the best epoch
    (`None` without one) and in the last (`last_training`, `last_validation`)."""
    rows = []
    for name, curves in run.curves.items():
        node, _, value = name.rpartition(".")
        row: Row = {"name": name, "node": node, "value": value}
        row.update(_best(run, name))
        for part in PARTS:
            row[f"last_{part}"] = curves[part].values[-1] if part in curves else None
        rows.append(row)
    return rows


def history_of_run(run: Run) -> List[Row]:
    """Return a row for each value of each epoch: `epoch`, `part`, `name`, `value`."""
    return [
        {"epoch": epoch, "part": part, "name": name, "value": value}
        for name, curves in run.curves.items()
        for part, curve in curves.items()
        for epoch, value in zip(curve.epochs, curve.values, strict=True)
    ]


def _best(run: Run, name: str) -> Dict[str, Optional[float]]:
    curves = run.curves.get(name, {})
    return {part: at_epoch(curves.get(part), run.best_epoch) for part in PARTS}


def as_frame(rows: List[Row]) -> Any:
    """Return the rows as a pandas DataFrame; as they are where pandas is not installed."""
    try:
        import pandas
    except ImportError:
        return rows
    return pandas.DataFrame(rows)


def plots_of_run(
    folder: Path,
    model: Optional[StructuredEnergyModel] = None,
    batches: Iterable[Dict[str, Any]] = (),
) -> Dict[str, "Figure"]:
    """Return the plots of a run by name: `curves`, and with a model those of its diagnosis on the
    batches (`scores`, `calibration`, `path`, `search_error`, `labels`, `levels`, `confusion`,
    `types`, `decoder`).

    # Raises

    `ValueError` for a folder that is not that of a run, and before the first epoch has ended.
    """
    figures = {"curves": draw_curves(Run.read(folder))}
    if model is not None:
        figures.update(draw_all(diagnose(model, batches), names(model.vocab, "labels")))
    return figures


def write_plots(
    folder: Path, model: StructuredEnergyModel, batches: Iterable[Dict[str, Any]]
) -> List[Path]:
    """Write the plots of a run and its model to the folder `plots` of the run, and return their
    files.

    # Raises

    `ValueError` for a folder that is not that of a run, and before the first epoch has ended.
    """
    figures = plots_of_run(folder, model, batches)
    return [
        path for name, figure in figures.items() for path in save(figure, folder / "plots", name)
    ]
