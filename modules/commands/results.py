"""`allennlp results`: tables of methods by data sets."""

import argparse
import sys
from pathlib import Path

from allennlp.commands.subcommand import Subcommand

from ..reporting import (
    FORMATS,
    common_part,
    render,
    run_rows,
    show,
    tables_of_results,
)
from .quiet import hide_parameters
from .selection import add_selection, chosen_runs


@Subcommand.register("results")
class ResultsCommand(Subcommand):
    """Show the results of finished runs in tables: methods by data sets, with the mean over seeds ±
    the standard deviation."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Show the results of runs: methods by data sets, mean and standard deviation."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} A table for each metric, or for all metrics of one data set.",
        )
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="FOLDER", help="folder of a run or of several"
        )
        add_selection(subparser)
        subparser.add_argument(
            "--baseline",
            metavar="METHOD",
            help="mark the methods that differ from this one beyond noise, paired by seed",
        )
        subparser.add_argument(
            "--format",
            choices=FORMATS,
            default="console",
            dest="form",
            help="csv has a row for each run, with its seed and unrounded values",
        )
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    runs = chosen_runs(arguments.runs, arguments.decoders)
    part = arguments.part or common_part(runs)
    if arguments.form == "csv":
        tables = [run_rows(runs, part, arguments.metrics)]
    else:
        tables = tables_of_results(runs, part, arguments.metrics, arguments.baseline)
    for table in tables:
        if arguments.form == "console":
            show(table)
        else:
            sys.stdout.write(render(table, arguments.form) + "\n")
