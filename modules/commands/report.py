"""`allennlp report`: what came of runs, in one HTML file."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import find_runs, write_report
from .quiet import without_parameters


@Subcommand.register("report")
class ReportCommand(Subcommand):
    """Writes one HTML file, which needs no network, about runs: finished, killed or still going
    on."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """The arguments of the command."""
        about = (
            "Writes one HTML file about runs: metrics, the tree of logged values, plots, the "
            "hardest examples, config and environment; several runs side by side."
        )
        subparser = parser.add_parser(self.name, description=about, help=about)
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or of runs"
        )
        subparser.add_argument(
            "--output",
            type=Path,
            help="the file; by default report.html in the folder of the run, or in the working "
            "folder for several",
        )
        subparser.add_argument("--data", help="data with labels instead of the validation data")
        subparser.add_argument("--examples", type=int, default=10, help="how many are shown")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    without_parameters()
    runs = find_runs(arguments.runs)
    path = arguments.output or (runs[0] if len(runs) == 1 else Path()) / "report.html"
    write_report(runs, path, arguments.data, arguments.examples)
    Console(soft_wrap=True).print(str(path), markup=False, highlight=False)
