"""`allennlp report`: runs in one HTML file."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import find_runs, write_report
from .quiet import hide_parameters


@Subcommand.register("report")
class ReportCommand(Subcommand):
    """Write one HTML file, which needs no network, about finished, killed or running runs."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = (
            "Write one HTML file about runs: metrics, the tree of logged values, plots, the "
            "hardest examples, config and environment; several runs side by side."
        )
        subparser = parser.add_parser(self.name, description=about, help=about)
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run or of several runs"
        )
        subparser.add_argument(
            "--output",
            type=Path,
            help="path of the file; by default report.html in the folder of the run, or in the "
            "working folder for several runs",
        )
        subparser.add_argument("--data", help="labelled data to use instead of the validation data")
        subparser.add_argument("--examples", type=int, default=10, help="number of examples")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    runs = find_runs(arguments.runs)
    path = arguments.output or (runs[0] if len(runs) == 1 else Path()) / "report.html"
    write_report(runs, path, arguments.data, arguments.examples)
    Console(soft_wrap=True).print(str(path), markup=False, highlight=False)
