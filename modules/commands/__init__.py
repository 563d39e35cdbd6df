"""Subcommands of `allennlp`."""

from . import evaluate  # noqa: F401  (prints metrics)
from .compare import CompareCommand
from .plots import PlotsCommand
from .report import ReportCommand
from .results import ResultsCommand
from .sweep import SweepCommand
from .tune import TuneCommand

__all__ = [
    "CompareCommand",
    "PlotsCommand",
    "ReportCommand",
    "ResultsCommand",
    "SweepCommand",
    "TuneCommand",
]
