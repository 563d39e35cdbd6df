"""Recovery: which values of a config may differ from those of the recovered run."""

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

_MEETING = ("primary_address", "primary_port")
_NUM_EPOCHS = inspect.signature(GradientDescentTrainer.__init__).parameters["num_epochs"].default


def mend_recovery() -> None:
    """Let a recovered run meet at another address or port, as the processes of a new job on a
    cluster do, and train for more epochs. AllenNLP refused both, and named no other difference
    outside its log."""
    original = training_util.create_serialization_dir

    @functools.wraps(original)
    def create_serialization_dir(
        params: Params, serialization_dir: Any, recover: bool, force: bool
    ) -> None:
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
        original(params, serialization_dir, recover, force)

    training_util.create_serialization_dir = create_serialization_dir


def mend_length_of_schedules() -> None:
    """Keep the length of the recovered run. A schedule over the whole run took the length of the
    run before from its checkpoint, and had ended when more epochs followed."""
    original = Scheduler.load_state_dict

    @functools.wraps(original)
    def load_state_dict(self: Scheduler, state_dict: Dict[str, Any]) -> None:
        lengths = {
            name: value
            for name, value in vars(self).items()
            if name in ("num_epochs", "total_steps")
        }
        original(self, {**state_dict, **lengths})

    Scheduler.load_state_dict = load_state_dict


def _as_recorded(params: Params, recorded: Dict[str, Any]) -> Params:
    """The config with the recorded values where it may differ from them."""
    params = params.duplicate()
    distributed = params.params.get("distributed")
    if isinstance(distributed, dict):
        for key in _MEETING:
            _take(distributed, recorded.get("distributed") or {}, key)
    trainer, before = params.params.get("trainer"), recorded.get("trainer")
    if isinstance(trainer, dict) and isinstance(before, dict):
        lengths = [given.get("num_epochs", _NUM_EPOCHS) for given in (trainer, before)]
        if all(type(length) is int for length in lengths) and lengths[0] > lengths[1]:
            _take(trainer, before, "num_epochs")
    return params


def _take(given: Dict[str, Any], recorded: Dict[str, Any], key: str) -> None:
    given.pop(key, None)
    if key in recorded:
        given[key] = recorded[key]


def _changes(recorded: Dict[str, Any], given: Dict[str, Any]) -> List[str]:
    """A phrase for each key whose value differs."""
    phrases = []
    for key in sorted(recorded.keys() | given.keys()):
        if key not in given:
            phrases.append(f"no '{key}', which was {recorded[key]!r}")
        elif key not in recorded:
            phrases.append(f"'{key}' {given[key]!r}, which was not there")
        elif given[key] != recorded[key]:
            phrases.append(f"'{key}' {given[key]!r}, which was {recorded[key]!r}")
    return phrases
