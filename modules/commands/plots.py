"""`allennlp plots`: plots of runs."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import load_data, load_model, read_history, write_plots


@Subcommand.register("plots")
class PlotsCommand(Subcommand):
    """Draws what came of runs, finished, killed or still going on, as PNG and SVG."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """The arguments of the command."""
        about = (
            "Draws every logged value over time, and what the model makes of the validation data."
        )
        subparser = parser.add_parser(self.name, description=about, help=about)
        subparser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a run")
        subparser.add_argument("--data", help="data with labels instead of the validation data")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    console = Console(soft_wrap=True)
    for run in arguments.runs:
        read_history(run)  # what is no run is said before a model is looked for
        model = load_model(run)
        for path in write_plots(run, model, load_data(run, model, arguments.data)):
            console.print(str(path), markup=False, highlight=False)
