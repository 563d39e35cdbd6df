"""Values of a config by their paths, and the changes from one config to another."""

import copy
from typing import Any, Dict, Iterator, Tuple, Union

from allennlp.common.checks import ConfigurationError

Path_ = Tuple[Union[str, int], ...]
ABSENT = object()


def read(config: Any, path: Path_) -> Any:
    """Return the value at a path, or `ABSENT`."""
    value, key = config, ABSENT  # type: Any, Any
    for key in path:
        keys = range(len(value)) if isinstance(value, list) else value
        if not isinstance(value, (dict, list)) or key not in keys:
            return ABSENT
        value = value[key]
    return value


def write(config: Dict[str, Any], path: Path_, value: Any, file: str) -> None:
    """Set the value at a path, or remove it if it is `ABSENT`; the name of a component, such as
    `optimizer: 'adam'`, becomes its `type` where a parameter of it is set.

    # Raises

    `ConfigurationError` where the path leads through a value that the config does not have.
    """
    holder: Any = config
    for place, part in enumerate(path[:-1], 1):
        inner = read(holder, (part,))
        if isinstance(inner, str):
            inner = holder[part] = {"type": inner}
        if not isinstance(inner, (dict, list)):
            raise ConfigurationError(
                f"Expected '{describe_path(path)}' to be the path of a value in {file}, got no "
                f"'{describe_path(path[:place])}' there."
            )
        holder = inner
    last: Any = path[-1]
    if isinstance(holder, list) and (not isinstance(last, int) or last >= len(holder)):
        raise ConfigurationError(
            f"Expected '{describe_path(path)}' to be the path of a value in {file}, got a list of "
            f"{len(holder)} there."
        )
    if value is ABSENT:
        holder.pop(last, None)
    else:
        holder[last] = copy.deepcopy(value)


def changes(before: Dict[str, Any], after: Dict[str, Any]) -> Iterator[Tuple[Path_, Any]]:
    """Yield the paths whose values differ, with the value afterwards; a list is one value.

    >>> [*changes({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": [1]}, "d": 0})]
    [(('a', 'b'), 2), (('d',), 0)]
    """
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from (((key, *path), value) for path, value in changes(old, new))
        elif old is ABSENT or new is ABSENT or old != new:
            yield (key,), new


def describe_path(path: Path_) -> str:
    """Return a path as a dotted name."""
    return ".".join(map(str, path))


def path_of(name: str) -> Path_:
    """Return the path of a dotted name, where digits are an index."""
    return tuple(int(part) if part.isdigit() else part for part in name.split("."))
