"""Errors of other packages about the settings of a component, with their place in the config."""

import functools
from traceback import walk_tb
from types import FrameType
from typing import Any, Optional

import torch
from allennlp.common import Lazy, from_params
from allennlp.common.checks import ConfigurationError

_PACKAGES = ("allennlp", "torch", "transformers")
# What constructors raise about their settings.
KINDS = (ValueError, AssertionError, ArithmeticError, RuntimeError)

_construct = Lazy.construct


@functools.wraps(_construct)
def construct(self: Lazy[Any], **extras: Any) -> Any:
    """Build the object.

    # Raises

    `ConfigurationError` for settings that a constructor of another package refuses.
    """
    try:
        return _construct(self, **extras)
    except KINDS as error:
        refused = refused_settings(error, self._params.history.rstrip("."))
        if refused is None:
            raise
        raise refused from error


def refused_settings(error: BaseException, here: str) -> Optional[ConfigurationError]:
    """Return the error of a config for one that a constructor of torch, transformers or AllenNLP
    raised about its settings, such as a negative learning rate; `None` for any other error."""
    if isinstance(error, torch.OutOfMemoryError):
        return None
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    machinery = [i for i, frame in enumerate(frames) if _module(frame) == from_params.__name__]
    frames = frames[machinery[-1] + 1 :] if machinery else []
    is_refused = frames and _is_of_package(frames[-1])
    if not is_refused or not all(
        frame.f_code.co_name == "__init__" or _is_of_package(frame) for frame in frames
    ):
        return None
    reason = str(error).rstrip(".") or type(error).__name__
    at = f"at '{here}' of the config" if here else "in the config"
    return ConfigurationError(f"Expected settings in their range {at}, got others: {reason}.")


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _is_of_package(frame: FrameType) -> bool:
    return _module(frame).partition(".")[0] in _PACKAGES
