"""A training in a process of its own."""

import copy
import json
import os
import sys
import threading
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any, Dict, List, Optional

from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.plugins import import_plugins
from allennlp.common.util import import_module_and_submodules

from ..compatibility import sentence
from ..training import NanLossError

STATES = ("finished", "nan", "config", "failed")  # what the message of a worker starts with


def begun(folder: Path, config: Dict[str, Any]) -> bool:
    """Return whether the folder is that of a run of this config."""
    return config_in(folder) == config


def config_in(folder: Path) -> Optional[Dict[str, Any]]:
    """Return the config of the run in a folder; `None` where there is none, or where a run was
    killed while it was written."""
    try:
        return json.loads((folder / "config.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def train_config(config: Dict[str, Any], folder: Path) -> Dict[str, Any]:
    """Train a config, or resume the run in the folder if it is one of this config, and return its
    metrics."""
    recover = begun(folder, config)
    params = Params(copy.deepcopy(config))  # training removes keys
    train_model(params, str(folder), recover=recover, force=not recover)
    return json.loads((folder / "metrics.json").read_text())


def work(
    sender: Any, config: Dict[str, Any], folder: Path, packages: List[str], threads: int
) -> None:
    """Train a config without output, and send how that ended: a state of `STATES`, and the metrics
    or the error in one sentence. The process ends with the one that started it."""
    _end_with_parent()
    quiet = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    for number in (1, 2):
        os.dup2(quiet, number)
    if threads:
        import torch

        torch.set_num_threads(threads)
    try:
        import_plugins()
        for package in packages:
            import_module_and_submodules(package)
        sender.send(("finished", train_config(config, folder)))
    except Exception as error:
        said = sentence(error) or f"{type(error).__name__}: {' '.join(str(error).split())}"
        kinds = {NanLossError: "nan", ConfigurationError: "config"}
        state = next((state for kind, state in kinds.items() if isinstance(error, kind)), "failed")
        sender.send((state, said))
    finally:
        sender.close()


def _end_with_parent() -> None:
    """End this process as soon as the process that started it has ended."""
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
