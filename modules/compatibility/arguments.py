"""Errors of values in a config that name the value and its place."""

import functools
import inspect
from contextvars import ContextVar
from typing import Any, List

from allennlp.common import Lazy, Params, from_params
from allennlp.common.checks import ConfigurationError

from ..configs.words import noun, shown
from .messages import place
from .settings import KINDS, refused_settings

# The place of the component whose arguments are being built.
_PLACE: ContextVar[str] = ContextVar("place", default="")


_pop_and_construct_arg = from_params.pop_and_construct_arg
_construct_arg = from_params.construct_arg


@functools.wraps(_pop_and_construct_arg)
def pop_and_construct_arg(
    class_name: str,
    argument_name: str,
    annotation: Any,
    default: Any,
    params: Params,
    **extras: Any,
) -> Any:
    """Build an argument of a constructor.

    # Raises

    `ConfigurationError` for a required argument that is missing, with its place.
    """
    required = default is inspect.Parameter.empty and argument_name not in extras
    if required and argument_name not in params:
        raise ConfigurationError(
            f"Expected the key '{argument_name}' of {class_name} {place(params)}, got none."
        )
    token = _PLACE.set(params.history)
    try:
        return _pop_and_construct_arg(
            class_name, argument_name, annotation, default, params, **extras
        )
    finally:
        _PLACE.reset(token)


@functools.wraps(_construct_arg)
def construct_arg(
    class_name: str,
    argument_name: str,
    popped_params: Any,
    annotation: Any,
    default: Any,
    **extras: Any,
) -> Any:
    """Build an argument from its value.

    # Raises

    `ConfigurationError` for a value of another type, and for settings that a constructor of another
    package refuses, with the value and its place.
    """
    here = _PLACE.get() + argument_name
    value = popped_params
    is_default = value is None or value is default
    if not is_default and _is_component(annotation):
        if isinstance(value, (bool, int, float, list)):
            raise _unexpected("a dictionary, or the name of a component,", here, value)
        # AllenNLP loses the place of a component that is given as a name.
        if isinstance(value, str):
            value = Params({"type": value}, history=f"{here}.")
        elif isinstance(value, dict):
            value = Params(value, history=f"{here}.")
    is_list = getattr(annotation, "__origin__", None) in (list, List)
    if not is_default and is_list and not isinstance(value, (list, tuple, set)):
        raise _unexpected(noun(annotation), here, value)
    try:
        return _construct_arg(class_name, argument_name, value, annotation, default, **extras)
    except KINDS as error:
        refused = refused_settings(error, here)
        if refused is None:
            raise
        raise refused from error
    except TypeError as error:
        if not str(error).startswith(f"Expected {argument_name} to be"):
            raise
        raise _unexpected(noun(annotation), here, value) from None
    except ConfigurationError as error:
        if not str(error).startswith(f"Failed to construct argument {argument_name} with"):
            raise
        inner = error.__cause__
        if isinstance(value, (Params, list)) and isinstance(inner, ConfigurationError):
            raise inner from None
        raise _unexpected(noun(annotation), here, value) from None


def _unexpected(expected: str, here: str, value: Any) -> ConfigurationError:
    got = shown(value.params if isinstance(value, Params) else value)
    return ConfigurationError(f"Expected {expected} for '{here}' of the config, got {got}.")


def _is_component(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is Lazy or hasattr(annotation, "from_params")
