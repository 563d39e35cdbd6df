"""The space of hyper-parameters in which `allennlp tune` searches."""

import json
import math
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple

from allennlp.common.checks import ConfigurationError

from ..configs import faults_of
from .config_file import ConfigFile, evaluate
from .paths import ABSENT, Path_, describe_path, path_of, read

KINDS = ("log", "uniform", "integer", "choices")
Space = Dict[str, Dict[str, Any]]
# Numbers in a config that a method depends on, each searched over a factor of ten to both sides.
_SCALES = ("lr", "learning_rate", "oracle_cost_weight", "score_penalty", "temperature")
_DEFAULT_RATE = 1e-3  # of an optimiser whose learning rate the config leaves open


def read_space(text: str) -> Space:
    """Return the space of a file, or of Jsonnet text that starts with a brace.

    Its keys are dotted paths of a config or hyper-parameters of the library, its values one of
    `{log: [low, high]}`, `{uniform: [low, high]}`, `{integer: [low, high]}`, `{choices: […]}`.

    >>> read_space("{lr: {log: [1e-4, 1e-2]}}")
    {'lr': {'log': [0.0001, 0.01]}}

    # Raises

    `ConfigurationError` for anything else, with the name at fault.
    """
    name = "--space" if text.lstrip().startswith("{") else text
    try:
        space = json.loads(evaluate(name, text if name == "--space" else Path(text).read_text()))
    except RuntimeError as error:
        raise ConfigurationError(
            f"Expected a search space in Jsonnet in {name}, got {str(error).splitlines()[0]}"
        ) from error
    if not isinstance(space, dict) or not space:
        raise ConfigurationError(f"Expected a search space with names in {name}, got {space!r}.")
    for key, where in space.items():
        check_range(name, key, where)
    return space


def check_range(file: str, name: str, where: Any) -> None:
    """Raise `ConfigurationError` unless the range of a name is one of the kinds, and in order."""
    kind = next(iter(where), None) if isinstance(where, dict) and len(where) == 1 else None
    values: Any = where[kind] if kind in KINDS else None
    numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
    if kind == "choices" and isinstance(values, list) and values:
        return
    if kind in KINDS and numbers and len(values) == 2 and values[0] < values[1]:
        low = values[0]
        if (kind != "log" or low > 0) and (kind != "integer" or all(v == int(v) for v in values)):
            return
    raise ConfigurationError(
        f"{file}: expected the range of '{name}' to be {{log: [low, high]}} with low above 0, "
        f"{{uniform: [low, high]}}, {{integer: [low, high]}} or {{choices: [...]}}, got "
        f"{json.dumps(where)}."
    )


def default_space(file: ConfigFile, method: Optional[str] = None) -> Space:
    """Return the space of the method in the library; for another config its learning rates, weight
    decays, dropouts, weights of losses and rates of inference.

    # Raises

    `ConfigurationError` for a config with none of these.
    """
    library = file.library_of(method)
    if library is not None and library["search_space"]:
        return library["search_space"]
    config = file.config(method)
    space = {describe_path(path): where for path, where in _ranges(config, ())}
    if not space:
        raise ConfigurationError(
            f"Expected learning rates, dropouts or weights of losses to search in {file.path}, got "
            "none; name a search space with --space."
        )
    return space


def check_space(file: ConfigFile, space: Space, method: Optional[str] = None) -> None:
    """Raise `ConfigurationError` for a name that the config does not have."""
    config = file.config(method)
    before = faults_of(config)
    for name, where in space.items():
        if "." in name and read(config, path_of(name)) is not ABSENT:
            continue
        ((_, limits),) = where.items()
        faults = faults_of(file.config(method, {name: limits[0]}))
        if len(faults) > len(before):
            new = next(fault for fault in faults if fault not in before)
            raise ConfigurationError(f"'{name}' of the search space: {new.message}")


def own_values(
    file: ConfigFile, space: Space, method: Optional[str] = None
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return the values in force of the config for the names inside of their range, and those of
    the others, `None` where the config has none."""
    config = file.config(method)
    table = file.hyper_parameters([name for name in space if "." not in name], method)
    inside, outside = {}, {}
    for name, where in space.items():
        value = read(config, path_of(name)) if "." in name else table.get(name, ABSENT)
        if value is not ABSENT and _is_inside(value, where):
            inside[name] = value
        else:
            outside[name] = None if value is ABSENT else value
    return inside, outside


def _is_inside(value: Any, where: Dict[str, Any]) -> bool:
    ((kind, limits),) = where.items()
    if kind == "choices":
        return value in limits
    return type(value) in (int, float) and limits[0] <= value <= limits[1]


def _ranges(config: Any, path: Path_) -> Iterator[Tuple[Path_, Dict[str, Any]]]:
    inner = config.items() if isinstance(config, dict) else enumerate(config)
    for key, value in inner:
        here = (*path, key)
        found = _range_of(here, value)
        if found is not None:
            yield found
        elif key == "weights" and isinstance(value, list):
            yield from (((*here, n), _around(w)) for n, w in enumerate(value) if _is_positive(w))
        elif isinstance(value, (dict, list)):
            if key == "optimizer" and path[:1] == ("trainer",) and "lr" not in value:
                yield (*here, "lr"), _around(_DEFAULT_RATE)
            yield from _ranges(value, here)


def _range_of(path: Path_, value: Any) -> Optional[Tuple[Path_, Dict[str, Any]]]:
    key = path[-1]
    if key == "optimizer" and isinstance(value, str) and path[0] == "trainer":
        return (*path, "lr"), _around(_DEFAULT_RATE)
    if key == "dropout" and type(value) in (int, float):
        return path, {"uniform": [0.0, 0.8]}
    if key in (*_SCALES, "weight_decay") and _is_positive(value):
        return path, _around(value)
    return None


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


def _around(value: float) -> Dict[str, Any]:
    low, high = (float(f"{value * 10**sign:.6g}") for sign in (-1, 1))
    assert math.isfinite(high)
    return {"log": [low, high]}
