"""`allennlp compare`: a table of runs."""

import argparse
import sys
from pathlib import Path
from typing import List

from allennlp.commands.subcommand import Subcommand

from ..reporting import (
    COMPARED,
    FORMATS,
    Method,
    Run,
    by_data,
    find_runs,
    long_table,
    methods_of,
    metrics_of,
    render,
    scores_of,
    show,
    table_of,
    with_differences,
)
from .quiet import hide_parameters


@Subcommand.register("compare")
class CompareCommand(Subcommand):
    """Compare runs in a table: a row for each method, with the mean over its seeds ± the standard
    deviation."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Compare runs: mean and standard deviation over seeds, a row for each method."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} Runs whose configs differ only in their seeds belong to one "
            "method. Each data set has its own table.",
        )
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run or of several runs"
        )
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
        subparser.add_argument(
            "--baseline",
            metavar="METHOD",
            help="predict the data again, and show the difference from this method with its 95 %% "
            "interval, from the paired bootstrap over instances and seeds",
        )
        subparser.add_argument(
            "--resamples", type=int, default=1000, help="number of resamples of the bootstrap"
        )
        subparser.add_argument("--format", choices=FORMATS, default="console", dest="form")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    if arguments.resamples < 1:
        raise ValueError(f"Expected resamples of at least 1, got {arguments.resamples}.")
    hide_parameters()
    runs = [Run.read(folder) for folder in find_runs(arguments.runs)]
    for data, group in by_data(runs).items():
        _print_table(data, methods_of(group), arguments)


def _print_table(data: str, methods: List[Method], arguments: argparse.Namespace) -> None:
    runs = [run for method in methods for run in method.runs]
    part = arguments.part or ("test" if all(run.metrics["test"] for run in runs) else "validation")
    task_metrics = metrics_of(methods, part)
    metrics = arguments.metrics or list(task_metrics)
    if not metrics:
        raise ValueError(
            f"Expected runs with metrics of the task on the {part} data, got none; name logged "
            "values with --metric."
        )
    scores = scores_of(methods, part, metrics)
    baseline = arguments.baseline
    if baseline is not None:
        scores = with_differences(scores, methods, part, metrics, baseline, arguments.resamples)
    notes = [
        f"{run.folder} has not finished: its best epoch so far." for run in runs if not run.finished
    ]
    if part == "validation":
        notes.append("On validation data, which also selected the best epoch.")
    title = f"{data}, {part} data, mean ± standard deviation (number of seeds)"
    if arguments.form == "csv":
        table = long_table(scores, title)
    else:
        table = table_of(scores, title, metrics, task_metrics, baseline, notes)
    if arguments.form == "console":
        show(table)
    else:
        sys.stdout.write(render(table, arguments.form) + "\n")
