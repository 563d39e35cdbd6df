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

DATA = "data"  # the folder of a run's own data, such as those that Python gave in memory
_MEETING = ("primary_address", "primary_port")
_NUM_EPOCHS = inspect.signature(GradientDescentTrainer.__init__).parameters["num_epochs"].default


_create_serialization_dir = training_util.create_serialization_dir
_load_state_dict = Scheduler.load_state_dict


@functools.wraps(_create_serialization_dir)
def create_serialization_dir(
    params: Params, serialization_dir: Any, recover: bool, force: bool
) -> None:
    """Create the folder of a run, or check that a config may recover the run in the folder.

    The folder of a new run is empty, or holds only the folder `data` with the data of the run.

    The recovered run may meet at another address or port, as the processes of a new job on a
    cluster do, and train for more epochs.

    # Raises

    `ConfigurationError` for any other difference, with the keys and the values.
    """
    before = Path(serialization_dir) / CONFIG_NAME
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
    elif not recover and not force and _holds_only_data(Path(serialization_dir)):
        return
    _create_serialization_dir(params, serialization_dir, recover, force)


def _holds_only_data(folder: Path) -> bool:
    return folder.is_dir() and [path.name for path in folder.iterdir()] == [DATA]


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
