"""A report of runs as one HTML file without references to other files."""

import base64
import io
import json
import logging
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence

import jinja2
import numpy as np
from allennlp.common.checks import ConfigurationError
from markupsafe import Markup, escape
from PIL import Image

from ..atomic_files import write_atomically
from ..environment import read_environment
from ..vocabulary import names
from .curves import draw_curves, draw_overlay
from .data import load_data
from .diagnosis import diagnose
from .examples import Example, hardest
from .log_file import read_warnings
from .model import load_model
from .objects import metrics_by_part
from .outline import Leaf, leaves_of
from .plots import draw_all
from .run import Run
from .style import in_style
from .terms import Outline, outline_of
from .tree import Node, tree_of
from .tree_picture import tree_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)


class RunReport(NamedTuple):
    """The report of a run.

    # Fields

    name : tells the runs of a report apart.
    tree : the dotted names of the logged values.
    leaves : the logged values by dotted name.
    plots : by name, as `data:` addresses.
    types : a row for each type of spans or roles, with its counts.
    taxonomy : the terms of the labels; `None` for labels without a taxonomy.
    data : the path of the data on which the model was inspected.
    trouble : the reason why the model was not inspected; `None` where it was.
    warnings : of this package, in the log of the run.
    """

    name: str
    run: Run
    tree: Node
    leaves: Dict[str, Leaf]
    environment: List[Dict[str, Any]]
    plots: Dict[str, str]
    types: List[Dict[str, Any]]
    taxonomy: Optional[Outline]
    examples: List[Example]
    data: Optional[str]
    trouble: Optional[str]
    warnings: List[str]

    @property
    def num_epochs(self) -> int:
        """The number of finished epochs."""
        return 1 + max(c.epochs[-1] for parts in self.run.curves.values() for c in parts.values())

    @property
    def config(self) -> str:
        """The config, as JSON."""
        return json.dumps(self.run.config, indent=2)

    @property
    def metrics(self) -> Dict[str, Dict[str, Optional[float]]]:
        """The metrics of the task and the losses by name and part."""
        return metrics_by_part(self.run)

    @property
    def judged(self) -> Optional[float]:
        """The value of the best epoch by which it was chosen."""
        return self.run.metrics["validation"].get(self.run.metric)


def report_on(folder: Path, name: str, data_path: Optional[str], num_examples: int) -> RunReport:
    """Return the report of a run, with the reason where its model cannot be inspected.

    # Raises

    `ValueError` for a folder that is not that of a run, and before the first epoch has ended.
    """
    run = Run.read(folder)
    figures, examples, types = {"curves": draw_curves(run)}, [], []
    path = trouble = taxonomy = None
    try:
        model = load_model(folder)
        data = load_data(folder, model.vocab, data_path)
        path = data.path
        diagnosis = diagnose(model, data.with_progress(f"predicting {path}"))
        figures.update(draw_all(diagnosis, names(model.vocab, "labels")))
        examples = hardest(model, data, diagnosis, num_examples)
        taxonomy = outline_of(diagnosis)
        types = [] if diagnosis.types is None else diagnosis.types.rows()
    except (ValueError, OSError, ConfigurationError) as error:
        trouble = str(error)
        logger.warning("%s: the model was not inspected: %s", folder, error)
    return RunReport(
        name,
        run,
        tree_of(run.curves),
        leaves_of(run),
        read_environment(folder),
        {name: address_of(figure) for name, figure in figures.items()},
        types,
        taxonomy,
        examples,
        path,
        trouble,
        read_warnings(folder),
    )


def write_report(
    folders: Sequence[Path],
    path: Path,
    data_path: Optional[str] = None,
    num_examples: int = 10,
) -> None:
    """Write the report of runs to a file.

    # Raises

    `ValueError` for a folder that is not that of a run, and before the first epoch has ended.
    """
    full = [folder.resolve() for folder in folders]
    above = Path(os.path.commonpath(full)) if len(full) > 1 else full[0].parent
    reports = [
        report_on(folder, str(at.relative_to(above)), data_path, num_examples)
        for folder, at in zip(folders, full, strict=True)
    ]
    overlay = None
    if len(reports) > 1:
        reports = sorted(reports, key=_place)
        overlay = address_of(draw_overlay({report.name: report.run for report in reports}))
    template = _environment().from_string(
        files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    )
    judged = dict.fromkeys(
        name
        for report in reports
        for name in report.run.task_metrics
        if name in report.run.metrics["test"]
    )
    text = template.render(reports=reports, overlay=overlay, judged=list(judged))
    write_atomically(path, text)


def address_of(figure: "Figure") -> str:
    """Return the figure as a `data:` address."""
    file = io.BytesIO()
    with in_style():
        figure.savefig(file, format="png", dpi=130)
    return _address(file)


def image_address(pixels: np.ndarray) -> str:
    """Return an image with values in [0, 1] as a `data:` address."""
    file = io.BytesIO()
    values = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    Image.fromarray((255 * values.clip(0, 1)).astype(np.uint8)).save(file, format="PNG")
    return _address(file)


def _address(file: io.BytesIO) -> str:
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _place(report: RunReport) -> tuple:
    """Return the key that sorts the best run first and runs without a value last."""
    if report.judged is None:
        return 1, 0.0, report.name
    return 0, report.judged if report.run.lower_is_better else -report.judged, report.name


def _breakable(name: str) -> Markup:
    """Return a name that a line may break after its underscores, dots and slashes."""
    return Markup(re.sub(r"([_./-])", r"\1<wbr>", str(escape(name))))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: "" if value is None else f"{value:.4g}"
    environment.filters["share"] = lambda value: "" if value is None else f"{value:.2f}"
    environment.filters["image"] = image_address
    environment.filters["tree"] = tree_picture
    environment.filters["breakable"] = _breakable
    return environment
