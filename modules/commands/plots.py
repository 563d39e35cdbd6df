"""`allennlp plots`: plots of runs."""

import argparse
from pathlib import Path
from typing import List, Optional

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import diagnose, draw_all, draw_curves, load_data, load_model, read_history, save
from ..vocabulary import names


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
        for path in draw_run(run, arguments.data):
            console.print(str(path), markup=False, highlight=False)


def draw_run(run: Path, data: Optional[str] = None) -> List[Path]:
    """Writes the plots of a run to its folder `plots`, and gives their files.

    # Raises

    `ValueError` for what is no run, or has no epoch yet.
    """
    history = read_history(run)
    figures = {"curves": draw_curves(history)}
    model = load_model(run)
    diagnosis = diagnose(model, load_data(history.config, model, data))
    figures.update(draw_all(diagnosis, names(model.vocab, "labels")))
    return [path for name, figure in figures.items() for path in save(figure, run / "plots", name)]
