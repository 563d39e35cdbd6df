"""`allennlp tune`: a search of hyper-parameters."""

import argparse
import json
from pathlib import Path

from allennlp.commands.subcommand import Subcommand

from ..atomic_files import write_atomically
from ..reporting import open_console
from ..sweeps import SAMPLERS, ConfigFile, Settings, Tuning, default_space, read_space
from .quiet import hide_parameters
from .sweep import add_common_arguments, out_folder


@Subcommand.register("tune")
class TuneCommand(Subcommand):
    """Search the hyper-parameters of a config on validation data.

    The test data are not read. The result is `best.json`, a config for `allennlp train`.
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Search the hyper-parameters of a config on validation data."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} The first trial is the config as it is. The same command resumes "
            "a search that was stopped; with more --trials it searches further. The best config is "
            "OUT/best.json.",
        )
        subparser.add_argument("config", type=Path, metavar="CONFIG")
        subparser.add_argument(
            "--space",
            help='file of the search space, or Jsonnet: "{lr: {log: [1e-4, 1e-2]}}"; by default '
            "that of the method in the library, otherwise learning rates, weight decays, dropouts "
            "and weights of losses",
        )
        subparser.add_argument("--method", help="method of the library in place of the config's")
        subparser.add_argument("--trials", type=int, default=20, metavar="N")
        subparser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
        subparser.add_argument(
            "--no-pruning",
            action="store_false",
            dest="prune",
            help="do not stop trials that are worse than the median of the others at their epoch",
        )
        subparser.add_argument("--seed", type=int, default=0, help="of the draws and trainings")
        add_common_arguments(subparser, "tune")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    if arguments.trials < 1:
        raise ValueError(f"Expected --trials of at least 1, got {arguments.trials}.")
    hide_parameters()
    file = ConfigFile(arguments.config, arguments.overrides)
    if arguments.method is not None:
        file.methods([arguments.method])
    space = (
        default_space(file, arguments.method)
        if arguments.space is None
        else read_space(arguments.space)
    )
    out = out_folder(arguments, "tune", file.path)
    settings = Settings(
        arguments.trials,
        arguments.jobs,
        arguments.sampler,
        arguments.prune,
        arguments.seed,
        arguments.include_package,
    )
    console = open_console()

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    tuning = Tuning(file, space, out, settings, arguments.method)
    best = tuning.run(say)
    if best is None:
        raise ValueError(f"Expected a trial that finished, got none in {out}; see its logs.")
    write_atomically(out / "best.json", json.dumps(best.config, indent=2) + "\n")
    say(f"Trial {best.number} is the best: validation {tuning.metric} {best.value:.4f}, with")
    for name, value in best.values.items():
        say(f"  {name}: {json.dumps(value)}")
    say(f"Train it, with the test data: allennlp train {out / 'best.json'} -s RUN")
