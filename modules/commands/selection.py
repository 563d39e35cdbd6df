"""The arguments that choose values of runs."""

import argparse

from ..reporting import COMPARED


def add_selection(subparser: argparse.ArgumentParser) -> None:
    """Add `--metric` and `--part`, which choose the compared values."""
    subparser.add_argument(
        "--metric",
        nargs="+",
        dest="metrics",
        help="dotted names of logged values; by default the metrics of the task",
    )
    subparser.add_argument(
        "--part",
        choices=list(COMPARED),
        help="part of the data; by default test if all runs have it, otherwise validation",
    )
