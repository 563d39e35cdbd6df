"""Subcommands of `allennlp`."""

from .compare import CompareCommand
from .plots import PlotsCommand
from .report import ReportCommand

__all__ = ["CompareCommand", "PlotsCommand", "ReportCommand"]
