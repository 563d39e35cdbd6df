"""`allennlp decode`: other decoders for finished runs."""

import argparse
import json
from pathlib import Path
from typing import Any

from allennlp.commands.subcommand import Subcommand
from rich.console import Console

from ..reporting import FORMATS, Run, decode_run, find_runs, save_with_decoder
from .compare import print_comparison
from .quiet import hide_parameters


def _decoder(text: str) -> Any:
    """Return the config of a decoder: its name, or a dictionary in JSON.

    >>> _decoder('{"type": "top-k", "k": 3}')
    {'type': 'top-k', 'k': 3}
    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(
            f"expected the name of a decoder or a dictionary in JSON, got '{text}': {error}"
        ) from None


@Subcommand.register("decode")
class DecodeCommand(Subcommand):
    """Fit other decoders to the validation data of finished runs, without training."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Fit other decoders to the validation data of runs, without training."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} The metrics are shown, and written to decoders.json in the "
            "folder of each run, where `compare --decoder` and `results --decoder` find them.",
        )
        subparser.add_argument(
            "runs", nargs="+", type=Path, metavar="RUN", help="folder of a run or of several runs"
        )
        subparser.add_argument(
            "--decoder",
            nargs="+",
            type=_decoder,
            default=[],
            dest="decoders",
            metavar="DECODER",
            help="names of decoders, or their configs in JSON; by default all that have a meaning "
            "for the outputs",
        )
        subparser.add_argument(
            "--test", action="store_true", help="compute the metrics on the test data too"
        )
        subparser.add_argument(
            "--metric", nargs="+", dest="metrics", help="names of the metrics that are shown"
        )
        subparser.add_argument(
            "--save",
            type=Path,
            metavar="FOLDER",
            help="write the run with the decoder that is best on its validation data to a new "
            "folder, whose model.tar.gz predicts with it; needs a single RUN",
        )
        subparser.add_argument("--format", choices=FORMATS, default="console", dest="form")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    folders = find_runs(arguments.runs)
    if arguments.save is not None and len(folders) > 1:
        raise ValueError(f"Expected a single run with --save, got {len(folders)}.")
    hide_parameters()
    names = {
        folder: list(decode_run(folder, arguments.decoders, arguments.test)) for folder in folders
    }
    fitted = [Run.read(folder).with_decoder(name) for folder in folders for name in names[folder]]
    for part in ("validation", "test") if arguments.test else ("validation",):
        print_comparison(fitted, arguments.form, arguments.metrics, part)
    if arguments.save is not None:
        (folder,) = folders
        run = Run.read(folder)
        best = run.best_decoder(names[folder] if arguments.decoders else run.decoders())
        save_with_decoder(run.with_decoder(best), arguments.save)
        Console(soft_wrap=True).print(
            f"The run with the decoder {best}: {arguments.save}", markup=False, highlight=False
        )
