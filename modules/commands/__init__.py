"""Subcommands of `allennlp`."""

from .compare import CompareCommand
from .plots import PlotsCommand

__all__ = ["CompareCommand", "PlotsCommand"]
