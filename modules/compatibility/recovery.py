"""The values of a config that may differ from those of the recovered run."""

import functools
import inspect
import json
from pathlib import Path
from typing import Any, Dict, List

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models.archival import CONFIG_NAME
from allennlp.training import GradientDescentTrainer
from allennlp.training import util as training_util
from allennlp.training.scheduler import Scheduler

from .failed_starts import DATA, claim, take_over
from .nodes import is_further_node

_MEETING = ("primary_address", "primary_port")
_NUM_EPOCHS = inspect.signature(GradientDescentTrainer.__init__).parameters["num_epochs"].default


_create_serialization_dir = training_util.create_serialization_dir
_load_state_dict = Scheduler.load_state_dict


@functools.wraps(_create_serialization_dir)
def create_serialization_dir(
    params: Params, serialization_dir: Any, recover: bool, force: bool
) -> None:
    """Create the folder of a run, or check that a config may recover the run in the folder.

    The folder of a new run is empty, or holds only the folder `data` with the data of the run. The
    files of a run that failed before an epoch ended are replaced.

    The recovered run may meet at another address or port, as the processes of a new job on a
    cluster do, and train for more epochs.

    # Raises

    `ConfigurationError` for any other difference, with the keys and the values, and for the folder
    of another run.
    """
    folder = Path(serialization_dir)
    before = folder / CONFIG_NAME
    if recover and not force and before.exists():
        recorded = json.loads(before.read_text())
        params = _as_recorded(params, recorded)
        changes = _changes(Params(recorded).as_flat_dict(), params.as_flat_dict())
        if changes:
            raise ConfigurationError(
                f"Expected the config of the run in {serialization_dir} to recover it, got "
                f"{'; '.join(changes)}; only a larger 'trainer.num_epochs' may differ, so "
                "restore these values or start a new run."
            )
    if recover or force or not _is_new(folder, params):
        _create_serialization_dir(params, serialization_dir, recover, force)
    claim(folder)


def _is_new(folder: Path, params: Params) -> bool:
    """Return whether a new run can start in a folder that exists; raise for that of another run."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    # The epochs of a further node are in the folder of the first one.
    if names == [DATA] or (not is_further_node() and take_over(folder, params)):
        return True
    if names:
        raise ConfigurationError(
            f"Expected a new or empty folder for the run, got {folder}, which is not empty; resume "
            "its run with --recover, delete it with --force, or choose another folder with -s."
        )
    return False


@functools.wraps(_load_state_dict)
def load_scheduler_state(self: Scheduler, state_dict: Dict[str, Any]) -> None:
    """Load the state of a scheduler, except for the length of the run, which may have grown."""
    lengths = {
        name: value for name, value in vars(self).items() if name in ("num_epochs", "total_steps")
    }
    _load_state_dict(self, {**state_dict, **lengths})


def _as_recorded(params: Params, recorded: Dict[str, Any]) -> Params:
    """Return the config with the recorded value of each key that may differ."""
    params = params.duplicate()
    distributed = params.params.get("distributed")
    if isinstance(distributed, dict):
        for key in _MEETING:
            _take(distributed, recorded.get("distributed") or {}, key)
    trainer, before = params.params.get("trainer"), recorded.get("trainer")
    if isinstance(trainer, dict) and isinstance(before, dict):
        lengths = [keys.get("num_epochs", _NUM_EPOCHS) for keys in (trainer, before)]
        if all(type(length) is int for length in lengths) and lengths[0] > lengths[1]:
            _take(trainer, before, "num_epochs")
    return params


def _take(params: Dict[str, Any], recorded: Dict[str, Any], key: str) -> None:
    params.pop(key, None)
    if key in recorded:
        params[key] = recorded[key]


def _changes(recorded: Dict[str, Any], current: Dict[str, Any]) -> List[str]:
    """Return a phrase for each key whose value differs."""
    phrases = []
    for key in sorted(recorded.keys() | current.keys()):
        if key not in current:
            phrases.append(f"no '{key}', which was {recorded[key]!r}")
        elif key not in recorded:
            phrases.append(f"'{key}' {current[key]!r}, which was not there")
        elif current[key] != recorded[key]:
            phrases.append(f"'{key}' {current[key]!r}, which was {recorded[key]!r}")
    return phrases
