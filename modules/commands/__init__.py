"""Subcommands of `allennlp`."""

from . import evaluate  # noqa: F401  (prints metrics)
from .check import CheckCommand
from .compare import CompareCommand
from .decode import DecodeCommand
from .init import InitCommand
from .methods import MethodsCommand
from .plots import PlotsCommand
from .report import ReportCommand
from .results import ResultsCommand
from .sweep import SweepCommand
from .tune import TuneCommand

__all__ = [
    "CheckCommand",
    "CompareCommand",
    "DecodeCommand",
    "InitCommand",
    "MethodsCommand",
    "PlotsCommand",
    "ReportCommand",
    "ResultsCommand",
    "SweepCommand",
    "TuneCommand",
]
