"""`allennlp check`: the faults of a config, before anything is read or trained."""

import argparse
import copy
import sys
from typing import Any, Dict, Iterator, List, Tuple

from allennlp.commands.subcommand import Subcommand
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from ..configs import faults_of
from ..data import MultiLabelTextReader, TableReader
from ..data.registry import DATA_SETS, available, resolve
from .quiet import hide_parameters

_PATHS = ("train_data_path", "validation_data_path", "test_data_path")


@Subcommand.register("check")
class CheckCommand(Subcommand):
    """Check every key, name and type of a config against the constructors, and that the data
    exist, without reading more of them than the columns of a table."""

    def add_subparser(self, parser: argparse._SubParsersAction) -> argparse.ArgumentParser:
        """Add the arguments of the command."""
        about = "Check every key, name and type of a config, and that its data exist."
        subparser = parser.add_parser(
            self.name,
            help=about,
            description=f"{about} All faults are named, and the exit status is 1 if there are any. "
            "`allennlp train` begins with the same check of the config.",
        )
        subparser.add_argument("config", help="path of the config")
        subparser.add_argument(
            "-o",
            "--overrides",
            default="",
            help="a dictionary in Jsonnet that overrides the config, as in `allennlp train`",
        )
        subparser.set_defaults(func=_from_arguments)
        return subparser


def _from_arguments(arguments: argparse.Namespace) -> None:
    hide_parameters()
    config = Params.from_file(arguments.config, arguments.overrides).as_dict(quiet=True)
    faults = faults_of(config)
    if faults:
        for fault in faults:
            sys.stderr.write(f"{fault.message}\n")
        raise SystemExit(1)
    data = list(_data(config))
    missing = [path for _, path, state in data if state == "missing"]
    if missing:
        raise ConfigurationError(
            f"Expected the data that {arguments.config} names, got no file at "
            f"{', '.join(missing)}; paths are relative to the working folder."
        )
    _check_columns(config)
    lines = [*summary(config), *((key, f"{path} ({state})") for key, path, state in data)]
    width = max(len(name) for name, _ in lines) + 2
    sys.stdout.write(f"config is fine: {arguments.config}\n")
    for name, value in lines:
        sys.stdout.write(f"  {name.ljust(width)}{value}\n")


def _check_columns(config: Dict[str, Any]) -> None:
    """Raise `ValueError` for a column of tables or texts that the training data lack."""
    reader, path = config["dataset_reader"], config["train_data_path"]
    kind = reader.get("type") if isinstance(reader, dict) else reader
    if kind in ("table", "multi-label-text") and isinstance(path, str) and "://" not in path:
        made = DatasetReader.from_params(Params({"reader": copy.deepcopy(reader)}).pop("reader"))
        if isinstance(made, (TableReader, MultiLabelTextReader)):
            made.check_header(resolve(path).files()[0])


def summary(config: Dict[str, Any]) -> List[Tuple[str, str]]:
    """Return the parts of a config that make the method: a name and a value in words each."""
    model, trainer = config["model"], config["trainer"]
    if not isinstance(model, dict) or not isinstance(trainer, dict):
        return []
    lines = [("reader", _name(config["dataset_reader"]))]
    for key in ("output_space", "oracle_value", "task_network", "score_network", "loss", "sampler"):
        if key in model:
            value = model[key]
            encoder = value.get("encoder") if isinstance(value, dict) else None
            lines.append((key, _name(value) if encoder is None else f"encoder {_name(encoder)}"))
    inference = model.get("inference")
    lines.append(("inference", "that of the sampler" if inference is None else _name(inference)))
    epochs = trainer.get("num_epochs", 20)
    best = trainer.get("validation_metric", "-loss")
    kind = trainer.get("type", "gradient_descent")
    lines.append(("trainer", f"{kind}, at most {epochs} epochs, the best by {best}"))
    return lines


def _name(value: Any) -> str:
    if isinstance(value, dict):
        parts = value.get("constituents") or [value[k] for k in ("loss",) if k in value]
        inside = f" of {', '.join(map(_name, parts))}" if parts else ""
        return f"{value.get('type', 'default')}{inside}"
    return str(value)


def _data(config: Dict[str, Any]) -> Iterator[Tuple[str, str, str]]:
    """Yield the key, the path and the state of the data of a config."""
    for key in _PATHS:
        path = config.get(key)
        if isinstance(path, str):
            yield key.removesuffix("_data_path"), path, _state(path)


def _state(path: str) -> str:
    if path.startswith("data://"):
        name = path.removeprefix("data://").partition("/")[0]
        if name not in DATA_SETS:
            return "missing"
        return "found" if available(name) else "from the cache, or downloaded"
    if "://" in path:
        return "part of a package or remote"
    try:
        resolve(path).files()
    except ValueError:
        return "missing"
    return "found"
