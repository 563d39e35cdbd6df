"""What came of a run: its history, a diagnosis of its model, plots of both."""

from .curves import draw_curves
from .diagnosis import Calibration, Diagnosis, LabelCounts, ThresholdCurve, descent_of, diagnose
from .history import PARTS, Curve, History, by_part, read_history
from .plots import draw_all
from .run import load_data, load_model, write_plots
from .style import save

__all__ = [
    "Calibration",
    "Curve",
    "Diagnosis",
    "History",
    "LabelCounts",
    "ThresholdCurve",
    "PARTS",
    "by_part",
    "descent_of",
    "diagnose",
    "draw_all",
    "draw_curves",
    "load_data",
    "load_model",
    "read_history",
    "save",
    "write_plots",
]
