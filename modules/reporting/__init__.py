"""What came of runs: histories, diagnoses of models, plots of both, comparisons."""

from .bootstrap import Difference, judge, paired_bootstrap
from .comparison import (
    Score,
    by_data,
    long_table,
    metrics_of,
    scores_of,
    table_of,
    with_differences,
)
from .curves import draw_curves, draw_overlay
from .data import RunData, load_data
from .diagnosis import Calibration, Diagnosis, LabelCounts, ThresholdCurve, descent_of, diagnose
from .examples import Example, hardest, truth_picture
from .history import PARTS, Curve, History, by_part, read_config, read_history
from .inspecting import inspecting
from .outcome import COMPARED, SEEDS, Method, Outcome, find_runs, methods_of, read_outcome
from .plots import draw_all
from .report import write_report
from .run import load_model, write_plots
from .style import save
from .tables import FORMATS, Cell, Table, metric_rows, number, open_console, render, show

__all__ = [
    "COMPARED",
    "Calibration",
    "Cell",
    "Curve",
    "Diagnosis",
    "Difference",
    "Example",
    "FORMATS",
    "History",
    "LabelCounts",
    "Method",
    "Outcome",
    "PARTS",
    "RunData",
    "SEEDS",
    "Score",
    "Table",
    "ThresholdCurve",
    "by_data",
    "by_part",
    "descent_of",
    "diagnose",
    "draw_all",
    "draw_curves",
    "draw_overlay",
    "find_runs",
    "hardest",
    "inspecting",
    "judge",
    "load_data",
    "load_model",
    "long_table",
    "methods_of",
    "metric_rows",
    "metrics_of",
    "number",
    "open_console",
    "paired_bootstrap",
    "read_config",
    "read_history",
    "read_outcome",
    "render",
    "save",
    "scores_of",
    "show",
    "table_of",
    "truth_picture",
    "with_differences",
    "write_plots",
    "write_report",
]
