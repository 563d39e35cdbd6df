"""The arguments that choose values of runs."""

import argparse
from pathlib import Path
from typing import List, Optional, Sequence

from ..reporting import BEST, COMPARED, Run, find_runs


def add_selection(subparser: argparse.ArgumentParser) -> None:
    """Add `--metric` and `--part`, which choose the compared values."""
    subparser.add_argument(
        "--metric",
        nargs="+",
        dest="metrics",
        help="dotted names of logged values; by default the metrics of the task",
    )
    subparser.add_argument(
        "--decoder",
        nargs="+",
        dest="decoders",
        metavar="NAME",
        help="decoders that `allennlp decode` fitted for the runs, instead of that of the config; "
        f"'{BEST}' is the best of each run on its validation data",
    )
    subparser.add_argument(
        "--part",
        choices=list(COMPARED),
        help="part of the data; by default test if all runs have it, otherwise validation",
    )


def chosen_runs(folders: Sequence[Path], decoders: Optional[Sequence[str]]) -> List[Run]:
    """Return the runs among and below the folders, once for each of the decoders."""
    runs = [Run.read(folder) for folder in find_runs(folders)]
    if not decoders:
        return runs
    return [run.with_decoder(name) for name in decoders for run in runs]
