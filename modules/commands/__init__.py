"""Subcommands of `allennlp`."""

from .plots import PlotsCommand

__all__ = ["PlotsCommand"]
