"""Errors of config files and of overrides (`-o`) that name the file, the override and the key."""

import functools
import json
from typing import Any, Dict, Optional

from allennlp.common import params
from allennlp.common.checks import ConfigurationError

from ..configs import library
from ..configs.words import nearest

_parse_overrides, _with_overrides = params.parse_overrides, params.with_overrides
# What AllenNLP's parsing of overrides calls.
evaluate_snippet = library.evaluate_snippet


def evaluate_file(filename: str, ext_vars: Optional[Dict[str, str]] = None) -> str:
    """Return the JSON of a config file, whose imports may name files of the library.

    # Raises

    `ConfigurationError` for any other file, with its name.
    """
    try:
        text = library.evaluate_file(filename, ext_vars)
    except RuntimeError as error:
        raise ConfigurationError(library.describe(error, filename)) from error
    if not isinstance(json.loads(text), dict):
        raise ConfigurationError(
            f"Expected a config that is a dictionary in {filename}, got {text.strip()[:60]}."
        )
    return text


@functools.wraps(_parse_overrides)
def parse_overrides(serialized_overrides: str, *arguments: Any, **settings: Any) -> Any:
    """Return the overrides of `-o`.

    # Raises

    `ConfigurationError` for text that is no dictionary in Jsonnet, with the text.
    """
    expected = (
        "Expected overrides (-o) that are a dictionary in Jsonnet, such as "
        f"""'{{"trainer.num_epochs": 3}}', got '{serialized_overrides.strip()[:60]}'"""
    )
    try:
        overrides = _parse_overrides(serialized_overrides, *arguments, **settings)
    except RuntimeError as error:
        raise ConfigurationError(f"{expected}: {_first_lines(error)}") from error
    if not isinstance(overrides, dict):
        raise ConfigurationError(f"{expected}.")
    return overrides


@functools.wraps(_with_overrides)
def with_overrides(original: Any, overrides_dict: Dict[str, Any], prefix: str = "") -> Any:
    """Return the config with overrides.

    # Raises

    `ConfigurationError` for a key that does not exist, with the keys that do.
    """
    inside = f"'{prefix.rstrip('.')}'" if prefix else "the config"
    if not isinstance(original, (dict, list)):
        raise ConfigurationError(
            f"Expected {inside} of the config to have keys, as the overrides (-o) of "
            f"{[prefix + key for key in overrides_dict]} say, got {original!r}."
        )
    names = original if isinstance(original, dict) else range(len(original))
    keys = [str(name) for name in names]
    for name in overrides_dict:
        first, dot, _ = name.partition(".")
        new = isinstance(original, dict) and not dot
        dotted = any(name == key or name.startswith(f"{key}.") for key in keys)
        if not new and not dotted:
            hint = nearest(first, keys)
            raise ConfigurationError(
                f"Expected overrides (-o) of keys of {inside}, which has {keys}, got "
                f"'{prefix + name}'{'; ' + hint if hint else '.'}"
            )
    return _with_overrides(original, overrides_dict, prefix)


def _first_lines(error: RuntimeError) -> str:
    """Return the message of Jsonnet and its place."""
    return " ".join(line.strip() for line in str(error).splitlines()[:2])
