"""Subcommands of `allennlp`."""

from . import evaluate  # noqa: F401  (prints metrics)
from .compare import CompareCommand
from .plots import PlotsCommand
from .report import ReportCommand

__all__ = ["CompareCommand", "PlotsCommand", "ReportCommand"]
