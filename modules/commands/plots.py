"""`allennlp plots`: plots of runs."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import Run, find_runs, load_data, load_model, write_plots
from .quiet import without_parameters


@Subcommand.register("plots")
class PlotsCommand(Subcommand):
    """Draws what came of runs, finished, killed or still going on, as PNG and SVG."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """The arguments of the command."""
        about = (
            "Draws every logged value over time, and what the model makes of the validation data."
        )
        subparser = parser.add_parser(self.name, description=about, help=about)
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run, or of runs"
        )
        subparser.add_argument("--data", help="data with labels instead of the validation data")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    without_parameters()
    console = Console(soft_wrap=True)
    for run in find_runs(arguments.runs):
        Run.read(run)  # raises before the model is loaded
        model = load_model(run)
        data = load_data(run, model.vocab, arguments.data)
        for path in write_plots(run, model, data.with_progress(f"predicting {data.path}")):
            console.print(str(path), markup=False, highlight=False)
