"""`allennlp plots`: plots of runs."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import Run, find_runs, load_data, load_model, write_plots
from .quiet import hide_parameters


@Subcommand.register("plots")
class PlotsCommand(Subcommand):
    """Plot finished, killed or running runs as PNG and SVG."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Plot every logged value over time, and the predictions for the validation data."
        subparser = parser.add_parser(self.name, description=about, help=about)
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run or of several runs"
        )
        subparser.add_argument("--data", help="labelled data to use instead of the validation data")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    console = Console(soft_wrap=True)
    for run in find_runs(arguments.runs):
        Run.read(run)  # fails first in a folder without a run
        model = load_model(run)
        data = load_data(run, model.vocab, arguments.data)
        for path in write_plots(run, model, data.with_progress(f"predicting {data.path}")):
            console.print(str(path), markup=False, highlight=False)
