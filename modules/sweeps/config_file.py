"""A config file, with another method, other hyper-parameters or other seeds."""

import copy
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from ..configs import describe, evaluate_snippet, nearest
from .paths import ABSENT, changes, describe_path, path_of, read, write

# The library of a config, without the table, whose keys may lack a value.
_SHOWN = "%s.library { table:: super.table }"


class ConfigFile:
    """A Jsonnet or JSON config of `allennlp train`, and what its library makes of it.

    A config that is one call of the library, such as `methods.dvn(data_sets.scene)`, carries the
    library in a hidden field. It can be called with another method and with other hyper-parameters;
    what the config changes after the call is changed in the same way.

    # Parameters

    path : `Path`
        The file.
    overrides : `str`
        JSON or Jsonnet that is laid over every config, as `--overrides` of `allennlp train`.
    """

    def __init__(self, path: Path, overrides: str = "") -> None:
        self.path = Path(path)
        self.overrides = overrides
        # AllenNLP's own reading of the file, with its errors in one sentence.
        self._plain: Dict[str, Any] = Params.from_file(str(path)).as_dict(quiet=True)

    @cached_property
    def library(self) -> Optional[Dict[str, Any]]:
        """The method, methods and search space of the library; `None` for other configs."""
        has = "std.objectHasAll(config, 'library')"
        return self._evaluate(f"if {has} then {_SHOWN % 'config'} else null")

    def library_of(self, method: Optional[str]) -> Optional[Dict[str, Any]]:
        """Return the same of another method of the library."""
        if method is None or self.library is None:
            return self.library
        return self._evaluate(_SHOWN % _call(method, {}))

    def hyper_parameters(
        self, names: Iterable[str], method: Optional[str] = None
    ) -> Dict[str, Any]:
        """Return the values in force of those names that the library has."""
        if self.library is None:
            return {}
        call = "config" if method is None else _call(method, {})
        return self._evaluate(
            f"(local table = {call}.library.table; {{ [key]: table[key] "
            f"for key in {json.dumps(sorted(names))} if std.objectHasAll(table, key) }})"
        )

    @property
    def name(self) -> str:
        """The method of a config of the library, otherwise the name of the file."""
        return self.path.stem if self.library is None else self.library["method"]

    def methods(self, chosen: Optional[List[str]]) -> List[Optional[str]]:
        """Return the chosen methods; `None`, which is the config as it is, where none is chosen.

        # Raises

        `ConfigurationError` for a method that the library does not have for this config.
        """
        if chosen is None:
            return [None]
        if self.library is None:
            raise ConfigurationError(
                f"Expected a config that is one call of the library, such as "
                f"methods.dvn(data_set), to choose its methods, got {self.path}; name a config for "
                "each method instead."
            )
        known = self.library["methods"]
        names = known if chosen == ["all"] else chosen
        for name in names:
            if name not in known:
                hint = nearest(name, known) or f"the methods are {', '.join(known)}."
                raise ConfigurationError(
                    f"Expected a method that the library has for {self.path}, got '{name}'; {hint}"
                )
        return [*names]

    def config(
        self,
        method: Optional[str] = None,
        hyper_parameters: Optional[Mapping[str, Any]] = None,
        seed: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Return the config of a method with hyper-parameters and a seed.

        A name with a dot, `trainer.optimizer.lr`, is a path in the config; one without is a
        hyper-parameter of the library.

        # Raises

        `ConfigurationError` for a hyper-parameter that the config does not have, and where the
        config changes a value after the call of the library that the method has otherwise.
        """
        values = dict(hyper_parameters or {})
        ours = {name: values.pop(name) for name in [*values] if "." not in name}
        config = self._called(method, ours) if method or ours else copy.deepcopy(self._plain)
        config = with_overrides(config, json.loads(_as_json(self.overrides)))
        # Last: a value that is searched is the one that a trial trains with.
        for name, value in values.items():
            write(config, path_of(name), value, str(self.path))
        if seed is not None:
            config.update(random_seed=seed, numpy_seed=seed, pytorch_seed=seed)
        return config

    def _called(self, method: Optional[str], hyper_parameters: Dict[str, Any]) -> Dict[str, Any]:
        if self.library is None:
            name = next(iter(hyper_parameters), method)
            raise ConfigurationError(
                f"Expected the path of a value, such as 'trainer.optimizer.lr', got '{name}'; "
                f"{self.path} is not a call of the library, so it has no "
                "hyper-parameters by name."
            )
        own = self.library["method"]
        called = self._evaluate(_call(method or own, hyper_parameters))
        before = self._before
        for path, value in changes(before, self._plain):
            there = read(called, path)
            if there == value or (there is ABSENT and value is ABSENT):
                continue
            if there != read(before, path) or read(called, path[:-1]) is ABSENT:
                raise ConfigurationError(
                    f"{self.path}: expected a change after the call of the library to "
                    f"'{describe_path(path)}' to fit the method '{method or own}' with "
                    f"{hyper_parameters or 'its own hyper-parameters'}, whose value there is "
                    f"{'absent' if there is ABSENT else repr(there)}; put the change into the "
                    "table of the data set, or into --overrides."
                )
            write(called, path, value, str(self.path))
        return called

    @cached_property
    def _before(self) -> Dict[str, Any]:
        """The call of the library, without the changes after it."""
        return self._evaluate("config.library.config(config.library.method, {})")

    def _evaluate(self, expression: str) -> Any:
        snippet = f"local config = import {json.dumps(str(self.path.resolve()))};\n{expression}"
        try:
            return json.loads(evaluate(str(self.path), snippet))
        except RuntimeError as error:
            raise ConfigurationError(describe(error, str(self.path))) from error


def evaluate(name: str, snippet: str) -> str:
    """Return the JSON of a Jsonnet text, which sees the environment as configs do."""
    return evaluate_snippet(name, snippet, dict(os.environ))


def _call(method: str, hyper_parameters: Dict[str, Any]) -> str:
    return f"config.library.config({json.dumps(method)}, {json.dumps(hyper_parameters)})"


def _as_json(text: str) -> str:
    return evaluate("overrides", text) if text.strip() else "{}"
