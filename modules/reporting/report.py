"""One HTML file that says what came of runs, and needs nothing else."""

import base64
import io
import json
import logging
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence

import jinja2
import numpy as np
from allennlp.common.checks import ConfigurationError
from PIL import Image

from ..atomic_files import write_atomically
from ..environment import read_environment
from ..vocabulary import names
from .curves import draw_curves, draw_overlay
from .data import load_data
from .diagnosis import diagnose
from .examples import Example, hardest
from .history import History, read_history
from .outcome import Outcome, read_outcome
from .outline import Node, at_epoch, outline_of
from .plots import draw_all
from .run import load_model
from .style import in_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)


class RunReport(NamedTuple):
    """What the report says of a run.

    # Fields

    name : by which the report tells runs apart.
    plots : by name, as `data:` addresses.
    data : that the model was looked at on.
    trouble : why the model was not looked at, where it was not.
    """

    name: str
    history: History
    outcome: Outcome
    outline: Node
    environment: List[Dict[str, Any]]
    plots: Dict[str, str]
    examples: List[Example]
    data: Optional[str]
    trouble: Optional[str]

    @property
    def seed(self) -> str:
        """The seed of the run."""
        return self.outcome.seed

    @property
    def num_epochs(self) -> int:
        """How many epochs have ended."""
        return 1 + max(
            c.epochs[-1] for parts in self.history.curves.values() for c in parts.values()
        )

    @property
    def config(self) -> str:
        """The config, as JSON."""
        return json.dumps(self.outcome.config, indent=2)

    @property
    def metrics(self) -> Dict[str, Dict[str, Optional[float]]]:
        """The metrics of the task and the losses: in training and on the validation data in the
        best epoch, on the test data, by name."""
        test = self.outcome.metrics["test"]
        names = [name for name in self.history.curves if "." not in name]
        names += [name for name in test if "." not in name and name not in names]
        best = self.history.best_epoch
        return {
            name: {
                **{
                    part: at_epoch(self.history.curves.get(name, {}).get(part), best)
                    for part in ("training", "validation")
                },
                "test": test.get(name),
            }
            for name in names
        }

    @property
    def judged(self) -> Optional[float]:
        """The value by which the best epoch is chosen, in the best epoch."""
        return self.outcome.metrics["validation"].get(self.history.metric)


def report_on(folder: Path, name: str, data_path: Optional[str], num_examples: int) -> RunReport:
    """Gathers what there is of a run, whatever has become of it: where the model cannot be looked
    at, the report says why.

    # Raises

    `ValueError` for what is no run, or has no epoch that has ended.
    """
    history, outcome = read_history(folder), read_outcome(folder)
    figures, examples = {"curves": draw_curves(history)}, []
    path = trouble = None
    try:
        model = load_model(folder)
        data = load_data(folder, model.vocab, data_path)
        path = data.path
        diagnosis = diagnose(model, data.with_progress(f"predicting {path}"))
        figures.update(draw_all(diagnosis, names(model.vocab, "labels")))
        examples = hardest(model, data, diagnosis, num_examples)
    except (ValueError, OSError, ConfigurationError) as error:
        trouble = str(error)
        logger.warning("%s: the model was not looked at: %s", folder, error)
    return RunReport(
        name,
        history,
        outcome,
        outline_of(history),
        read_environment(folder),
        {name: address_of(figure) for name, figure in figures.items()},
        examples,
        path,
        trouble,
    )


def write_report(
    folders: Sequence[Path],
    path: Path,
    data_path: Optional[str] = None,
    num_examples: int = 10,
) -> None:
    """Writes the report of runs to a file.

    # Raises

    `ValueError` for what is no run, or has no epoch that has ended.
    """
    full = [folder.resolve() for folder in folders]
    above = Path(os.path.commonpath(full)) if len(full) > 1 else full[0].parent
    runs = [
        report_on(folder, str(at.relative_to(above)), data_path, num_examples)
        for folder, at in zip(folders, full, strict=True)
    ]
    overlay = None
    if len(runs) > 1:
        runs = sorted(runs, key=_place)
        overlay = address_of(draw_overlay({run.name: run.history for run in runs}))
    template = _environment().from_string(
        files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    )
    judged = dict.fromkeys(
        name
        for run in runs
        for name in run.outcome.task_metrics
        if name in run.outcome.metrics["test"]
    )
    text = template.render(runs=runs, overlay=overlay, judged=list(judged))
    write_atomically(path, text)


def address_of(figure: "Figure") -> str:
    """The figure as a `data:` address."""
    file = io.BytesIO()
    with in_style():
        figure.savefig(file, format="png", dpi=130)
    return _address(file)


def image_address(pixels: np.ndarray) -> str:
    """An image with values in [0, 1] as a `data:` address."""
    file = io.BytesIO()
    values = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    Image.fromarray((255 * values.clip(0, 1)).astype(np.uint8)).save(file, format="PNG")
    return _address(file)


def _address(file: io.BytesIO) -> str:
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _place(run: RunReport) -> tuple:
    """The best first, those without a value last."""
    if run.judged is None:
        return 1, 0.0, run.name
    return 0, run.judged if run.history.lower_is_better else -run.judged, run.name


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: "" if value is None else f"{value:.4g}"
    environment.filters["image"] = image_address
    return environment
