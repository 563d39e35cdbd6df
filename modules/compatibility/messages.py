"""Errors of configs that say what was expected, what was found, and where."""

import difflib
import functools
import inspect
from typing import Any, Iterable, List

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
                f"Expected only keys of {class_name} {place(self)}, got {sorted(self.params)} as "
                "well; check their spelling."
            )

    original = Params.pop_choice

    @functools.wraps(original)
    def pop_choice(self: Params, key: str, choices: List[Any], *args: Any, **settings: Any) -> Any:
        value = self.params.get(key)
        try:
            if value is not None and not isinstance(value, str):
                raise ConfigurationError("not a name")
            return original(self, key, choices, *args, **settings)
        except ConfigurationError:
            hint = nearest(value, choices) or "is its package included?"
            got = "none" if value is None else f"{value!r}; {hint}"
            raise ConfigurationError(
                f"Expected '{key}' {place(self)} to be one of {choices}, got {got}"
            ) from None

    Params.assert_empty = assert_empty
    Params.pop_choice = pop_choice


def place(params: Params) -> str:
    """Return where in the config the parameters are."""
    return f"at '{params.history.rstrip('.')}' of the config" if params.history else "in the config"


def nearest(name: Any, choices: Iterable[Any]) -> str:
    """Return a question about the choice that is most like a name, '' where none is like it."""
    near = difflib.get_close_matches(str(name), map(str, choices), n=1)
    return f"did you mean '{near[0]}'?" if near else ""
