"""What came of a run: its history, a diagnosis of its model, plots of both."""

from .curves import draw_curves
from .diagnosis import Calibration, Diagnosis, LabelCounts, ThresholdCurve, diagnose
from .history import Curve, History, read_history
from .plots import draw_all
from .run import load_data, load_model
from .style import save

__all__ = [
    "Calibration",
    "Curve",
    "Diagnosis",
    "History",
    "LabelCounts",
    "ThresholdCurve",
    "diagnose",
    "draw_all",
    "draw_curves",
    "load_data",
    "load_model",
    "read_history",
    "save",
]
