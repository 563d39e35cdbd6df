"""Runs: their metrics over time, diagnoses of their models, plots, reports and comparisons."""

from .bootstrap import Difference, judge, paired_bootstrap
from .comparison import (
    Score,
    by_data,
    common_part,
    long_table,
    metrics_of,
    notes_on,
    scores_of,
    table_of,
    with_differences,
)
from .curves import draw_curves, draw_overlay
from .data import RunData, load_data
from .decoding import (
    Decoded,
    decode_run,
    default_decoders,
    label_of,
    model_of,
    save_with_decoder,
)
from .diagnosis import Calibration, Diagnosis, LabelCounts, TypeCounts, descent_of, diagnose
from .examples import Example, hardest, truth_picture
from .inspection import inspecting, restoring_generators
from .methods import Method, methods_of
from .model import load_model
from .objects import (
    as_frame,
    history_of_run,
    metrics_of_run,
    plots_of_run,
    tree_of_run,
    write_plots,
)
from .plots import draw_all
from .report import write_report
from .results import run_rows, tables_of_results
from .run import BEST, COMPARED, DECODERS, PARTS, SEEDS, Curve, Run, by_part, find_runs
from .style import save
from .tables import FORMATS, Cell, Table, metric_rows, number, open_console, render, show
from .tree import Node, tree_of

__all__ = [
    "BEST",
    "DECODERS",
    "Decoded",
    "decode_run",
    "default_decoders",
    "label_of",
    "model_of",
    "save_with_decoder",
    "COMPARED",
    "Calibration",
    "Cell",
    "Curve",
    "Diagnosis",
    "Difference",
    "Example",
    "FORMATS",
    "LabelCounts",
    "TypeCounts",
    "Method",
    "Node",
    "PARTS",
    "Run",
    "RunData",
    "SEEDS",
    "Score",
    "Table",
    "as_frame",
    "by_data",
    "by_part",
    "common_part",
    "descent_of",
    "diagnose",
    "draw_all",
    "draw_curves",
    "draw_overlay",
    "find_runs",
    "hardest",
    "history_of_run",
    "inspecting",
    "judge",
    "load_data",
    "load_model",
    "long_table",
    "methods_of",
    "metric_rows",
    "metrics_of",
    "metrics_of_run",
    "notes_on",
    "number",
    "open_console",
    "paired_bootstrap",
    "plots_of_run",
    "render",
    "restoring_generators",
    "run_rows",
    "save",
    "scores_of",
    "show",
    "table_of",
    "tables_of_results",
    "tree_of",
    "tree_of_run",
    "truth_picture",
    "with_differences",
    "write_plots",
    "write_report",
]
