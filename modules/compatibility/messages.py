"""Errors of configs that say what was expected, what was found, and where."""

import difflib
import functools
import inspect
from typing import Any, List

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer


def mend_trainer_keys() -> None:
    """The trainer took any key and forgot it: a misspelt one, or all of `minimax` without its
    type."""
    original = GradientDescentTrainer.__init__
    known = {*inspect.signature(original).parameters, "run_sanity_checks"}

    @functools.wraps(original)
    def __init__(self: GradientDescentTrainer, *args: Any, **settings: Any) -> None:
        unknown = sorted(settings.keys() - known)
        if unknown:
            raise ConfigurationError(
                f"Expected keys of the trainer {type(self).__name__}, got {unknown}; check their "
                "spelling, and the trainer's type."
            )
        original(self, *args, **settings)

    GradientDescentTrainer.__init__ = __init__


def mend_messages_of_configs() -> None:
    """A misspelt key was reported without its place in the config, a misspelt name as a matter
    of packages that are not imported."""

    def assert_empty(self: Params, class_name: str) -> None:
        if self.params:
            raise ConfigurationError(
                f"Expected only keys of {class_name} {_place(self)}, got {sorted(self.params)} as "
                "well; check their spelling."
            )

    original = Params.pop_choice

    @functools.wraps(original)
    def pop_choice(self: Params, key: str, choices: List[Any], *args: Any, **settings: Any) -> Any:
        value = self.params.get(key)
        try:
            return original(self, key, choices, *args, **settings)
        except ConfigurationError:
            if not isinstance(value, str) or value in choices:
                raise
            near = difflib.get_close_matches(value, map(str, choices), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "is its package included?"
            raise ConfigurationError(
                f"Expected '{key}' {_place(self)} to be one of {choices}, got '{value}'; {hint}"
            ) from None

    Params.assert_empty = assert_empty
    Params.pop_choice = pop_choice


def _place(params: Params) -> str:
    return f"at '{params.history.rstrip('.')}' of the config" if params.history else "in the config"
