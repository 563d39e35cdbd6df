"""`allennlp sweep`: configs and methods over seeds."""

import argparse
from pathlib import Path

from allennlp.commands.subcommand import Subcommand

from ..reporting import FORMATS, Run, find_runs, open_console
from ..sweeps import ConfigFile, jobs_of, sweep
from .compare import print_comparison
from .quiet import hide_parameters


@Subcommand.register("sweep")
class SweepCommand(Subcommand):
    """Train configs over seeds and methods, and compare them in a table.

    Runs that are there already are kept, and those that were cut off are resumed.
    """

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Train configs over seeds and methods, and compare them in a table."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} A run goes to OUT/METHOD/seed_N. The same command resumes a "
            "sweep that was stopped: it keeps the runs that have finished and resumes the others.",
        )
        subparser.add_argument("configs", nargs="+", type=Path, metavar="CONFIG")
        subparser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
        subparser.add_argument(
            "--methods",
            nargs="+",
            metavar="METHOD",
            help="methods of the library to train in place of that of the config, or 'all'",
        )
        add_common_arguments(subparser, "sweep")
        subparser.add_argument(
            "--force", action="store_true", help="train again the runs of a config that has changed"
        )
        subparser.add_argument("--metric", nargs="+", dest="metrics", help="metrics of the table")
        subparser.add_argument("--format", choices=FORMATS, default="console", dest="form")
        subparser.set_defaults(func=_from_arguments)
        return subparser


def add_common_arguments(subparser: argparse.ArgumentParser, name: str) -> None:
    """Add the arguments of commands that train many runs."""
    subparser.add_argument(
        "--out", type=Path, help=f"folder of the runs; by default runs/{name}/CONFIG"
    )
    subparser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="number of processes, one for each run"
    )
    subparser.add_argument(
        "-o", "--overrides", default="", help="JSON that is laid over the config, as in train"
    )


def out_folder(arguments: argparse.Namespace, name: str, config: Path) -> Path:
    """Return the folder of the runs."""
    return arguments.out or Path("runs") / name / config.stem


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    files = [ConfigFile(path, arguments.overrides) for path in arguments.configs]
    out = out_folder(arguments, "sweep", files[0].path)
    console = open_console()
    jobs = jobs_of(files, arguments.methods, arguments.seeds, out)
    complete = sweep(
        jobs,
        out,
        arguments.jobs,
        arguments.include_package,
        arguments.force,
        lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
    )
    finished = [job.folder for job in jobs if (job.folder / "metrics.json").exists()]
    if finished:
        runs = [Run.read(folder) for folder in find_runs(finished)]
        print_comparison(runs, arguments.form, arguments.metrics)
    if not complete:
        raise SystemExit(1)
