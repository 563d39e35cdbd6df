"""Errors of configs that name the place, the expected value and the value found."""

import functools
import inspect
from typing import Any, List

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer

from ..configs.words import nearest

_init_gradient_descent_trainer = GradientDescentTrainer.__init__
_pop_choice = Params.pop_choice
_TRAINER_KEYS = {*inspect.signature(_init_gradient_descent_trainer).parameters, "run_sanity_checks"}


@functools.wraps(_init_gradient_descent_trainer)
def init_gradient_descent_trainer(
    self: GradientDescentTrainer, *args: Any, **settings: Any
) -> None:
    """Construct a trainer from keys that it knows, and prepare its model (`prepare`) with the
    training data, where it has to be.

    # Raises

    `ConfigurationError` for any other key.
    """
    unknown = sorted(settings.keys() - _TRAINER_KEYS)
    if unknown:
        raise ConfigurationError(
            f"Expected keys of the trainer {type(self).__name__}, got {unknown}; check their "
            "spelling, and the trainer's type."
        )
    _init_gradient_descent_trainer(self, *args, **settings)
    prepare = getattr(self.model, "prepare", None)
    if prepare is not None:
        prepare(self.data_loader)


def assert_empty(self: Params, class_name: str) -> None:
    """Raise `ConfigurationError` for keys that the class has not read, with their place."""
    if self.params:
        raise ConfigurationError(
            f"Expected only keys of {class_name} {place(self)}, got {sorted(self.params)} as "
            "well; check their spelling."
        )


@functools.wraps(_pop_choice)
def pop_choice(self: Params, key: str, choices: List[Any], *args: Any, **settings: Any) -> Any:
    """Remove and return the name at `key`.

    # Raises

    `ConfigurationError` for any other value than one of `choices`, with the most similar choice.
    """
    value = self.params.get(key)
    try:
        if value is not None and not isinstance(value, str):
            raise ConfigurationError("not a name")
        return _pop_choice(self, key, choices, *args, **settings)
    except ConfigurationError:
        hint = nearest(value, choices) or "is its package included?"
        got = "none" if value is None else f"{value!r}; {hint}"
        raise ConfigurationError(
            f"Expected '{key}' {place(self)} to be one of {choices}, got {got}"
        ) from None


def place(params: Params) -> str:
    """Return the place of the parameters in the config, as words."""
    return f"at '{params.history.rstrip('.')}' of the config" if params.history else "in the config"
