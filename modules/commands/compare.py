"""`allennlp compare`: a table of runs."""

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from allennlp.commands.subcommand import Subcommand

from ..reporting import (
    FORMATS,
    Method,
    Run,
    Table,
    by_data,
    common_part,
    long_table,
    methods_of,
    metrics_of,
    notes_on,
    render,
    scores_of,
    show,
    table_of,
    with_differences,
)
from .quiet import hide_parameters
from .selection import add_selection, chosen_runs


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
        add_selection(subparser)
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
    print_comparison(
        chosen_runs(arguments.runs, arguments.decoders),
        arguments.form,
        arguments.metrics,
        arguments.part,
        arguments.baseline,
        arguments.resamples,
    )


def print_comparison(
    runs: Sequence[Run],
    form: str = "console",
    metrics: Optional[Sequence[str]] = None,
    part: Optional[str] = None,
    baseline: Optional[str] = None,
    resamples: int = 1000,
) -> None:
    """Print a table of runs for each data set."""
    for group in by_data(runs).values():
        table = _table(methods_of(group), form, metrics, part, baseline, resamples)
        if form == "console":
            show(table)
        else:
            sys.stdout.write(render(table, form) + "\n")


def _table(
    methods: List[Method],
    form: str,
    chosen: Optional[Sequence[str]],
    part: Optional[str],
    baseline: Optional[str],
    resamples: int,
) -> Table:
    runs = [run for method in methods for run in method.runs]
    part = part or common_part(runs)
    task_metrics = metrics_of(methods, part)
    metrics = chosen or list(task_metrics)
    if not metrics:
        raise ValueError(
            f"Expected runs with metrics of the task on the {part} data, got none; name logged "
            "values with --metric."
        )
    scores = scores_of(methods, part, metrics)
    if baseline is not None:
        scores = with_differences(scores, methods, part, metrics, baseline, resamples)
    title = f"{runs[0].path_of(part)}, {part} data, mean ± standard deviation (number of seeds)"
    if form == "csv":
        return long_table(scores, title)
    return table_of(scores, title, metrics, task_metrics, baseline, notes_on(runs, part))
