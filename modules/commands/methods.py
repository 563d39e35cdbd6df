"""`allennlp methods`: the methods of the library, their configs, and all of them as files."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Optional

from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError
from rich.console import Console
from rich.table import Table

from ..configs.methods import (
    DATA_SETS,
    METHODS,
    TITLES,
    check_method,
    config_for,
    data_sets_of,
    same_as,
    tasks_of,
)


@Subcommand.register("methods")
class MethodsCommand(Subcommand):
    """List the methods with a line and the paper, show the config of one, or write all configs."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "List the methods, show the config of one, or write the configs of all."
        subparser = parser.add_parser(self.name, help=about, description=about)
        subparser.add_argument(
            "method", nargs="?", help="print the config of this method as plain JSON"
        )
        subparser.add_argument(
            "--task",
            choices=list(METHODS),
            help="by default the first task that has the method; with --write, that of the data",
        )
        subparser.add_argument(
            "--data",
            help="a data set of the library, such as bibtex, or the path of a Jsonnet file with "
            "the table of a data set; by default the data set digits, twpos, weizmann_horses or "
            "goemotions",
        )
        subparser.add_argument(
            "--write", type=Path, metavar="FOLDER", help="write a config for each method"
        )
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    if arguments.write is not None:
        task = arguments.task or _task_of_data(arguments.data)
        write_configs(arguments.write, task, arguments.data, arguments.method)
    elif arguments.method is not None:
        task = arguments.task or tasks_of(arguments.method)[0]
        config = config_for(task, arguments.method, arguments.data)
        sys.stdout.write(json.dumps(config, indent=2) + "\n")
    else:
        console = Console()
        if not console.is_terminal:
            console = Console(width=140)
        for task in [arguments.task] if arguments.task else METHODS:
            first = same_as(task)
            if first is not None and arguments.task is None:
                console.print(f"{TITLES[task]}: the methods of {first}")
                continue
            table = Table(title=TITLES[task], title_justify="left", box=None, pad_edge=False)
            table.add_column("method", no_wrap=True)
            table.add_column("in short", ratio=1)
            table.add_column("paper", no_wrap=True)
            for method in METHODS[task]:
                table.add_row(method.name, method.about, method.paper or "")
            console.print(table)
            console.print()


def write_configs(
    folder: Path, task: str, data: Optional[str] = None, method: Optional[str] = None
) -> None:
    """Write `METHOD.jsonnet` for each method of a task, or for one, into a folder.

    # Raises

    `ConfigurationError` for data that are neither a data set of the library nor a file, and for a
    file of that name that exists with another content.
    """
    if method is not None:
        check_method(task, method)
    file, default = DATA_SETS[task]
    name = data or default
    if name in data_sets_of(task):
        table, first = f"data_sets.{name}", f"import 'structured_energy/{file}.libsonnet'"
        text = f"local data_sets = {first};\n"
    elif os.path.isfile(name):
        table, relative = "table", os.path.relpath(name, folder)
        text = f"local table = import {json.dumps(relative)};\n"
    else:
        raise ConfigurationError(
            f"Expected a data set of the task {task}, one of {', '.join(data_sets_of(task))}, or "
            f"the path of a Jsonnet file with a table, got '{name}'."
        )
    text += f"local se = import 'structured_energy/{task}.libsonnet';\n\n"
    folder.mkdir(parents=True, exist_ok=True)
    for each in METHODS[task]:
        if method not in (None, each.name):
            continue
        path, config = folder / f"{each.name}.jsonnet", f"{text}se.{each.name}({table})\n"
        if path.exists() and path.read_text() != config:
            raise ConfigurationError(
                f"Expected no other config at {path}, got one; choose another folder."
            )
        path.write_text(config)
        sys.stdout.write(f"{path}\n")


def _task_of_data(data: Optional[str]) -> str:
    """Return the task of a data set of the library; a file has labels."""
    return next((task for task in METHODS if data in data_sets_of(task)), "multi_label")
