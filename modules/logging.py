"""The tree of logged values, in which every part of a model reports values by dotted name.

A node (`LoggingMixin`) registers its values and its children in its constructor and writes with
`log`. The head of the tree, the model, collects all values with `get_all`.
"""

import itertools
import re
from contextlib import contextmanager
from io import StringIO
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type, Union

import numpy as np
import torch
from rich.console import Console
from rich.tree import Tree

from .logged_values import (
    Loggable,
    LoggedArray,
    LoggedExtremum,
    LoggedLatest,
    LoggedMean,
    LoggedState,
    LoggedValue,
)
from .workers import all_gather_object, num_workers

__all__ = [
    "LoggedArray",
    "LoggedExtremum",
    "LoggedLatest",
    "LoggedMean",
    "LoggedValue",
    "LoggingMixin",
]

_CLOCK = itertools.count(1)


def _default_log_key(name: str) -> str:
    """Return the class name in snake_case, without its kind."""
    short = re.sub(r"(?<=.)(Loss|Sampler|Model)$", "", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", short).lower()


class LoggingMixin:
    """A node of the tree of logged values.

    # Parameters

    log_key : `Optional[str]`
        The node's part of the dotted names. By default it is the class name in snake_case without
        its kind (`MarginBasedLoss`: `margin_based`).
    """

    def __init__(self, log_key: Optional[str] = None) -> None:
        self.log_key = log_key or _default_log_key(type(self).__name__)
        if "." in self.log_key:
            raise ValueError(f"Expected a log_key without a dot, got '{self.log_key}'.")
        self._log_key_is_given = log_key is not None
        self.logging_buffer: Dict[str, LoggedValue] = {}
        self.logging_children: List[LoggingMixin] = []
        self._logging_paused = 0

    def adopt(self, child: "LoggingMixin", role: Optional[str] = None) -> None:
        """Add `child` to the children of this node, under the name `role` unless its constructor
        received a `log_key`."""
        if role is not None and not child._log_key_is_given:
            child.log_key = role
        self.logging_children.append(child)

    def log(self, key: str, value: Loggable, count: Optional[int] = None) -> None:
        """Log `value` under the registered `key`, without synchronising with the device."""
        if key not in self.logging_buffer:
            raise KeyError(
                f"'{key}' is not registered in the logging_buffer of node '{self.log_key}' "
                f"({type(self).__name__}), which has {sorted(self.logging_buffer)}; register it "
                "in the constructor."
            )
        if not self._logging_paused:
            logged = self.logging_buffer[key]
            logged.log(value, count)
            logged.logged_at = next(_CLOCK)

    @property
    def is_logging(self) -> bool:
        """Whether `log` records values; if not, values that are computed only for it can be
        skipped."""
        return not self._logging_paused

    def get(self, key: str) -> Union[float, np.ndarray, None]:
        """Return the value of this node's own `key`, or `None` if nothing was logged."""
        if key not in self.logging_buffer:
            raise KeyError(f"'{key}' is not registered in node '{self.log_key}'.")
        return self.logging_buffer[key].value

    def nodes(self) -> Iterator[Tuple[str, "LoggingMixin"]]:
        """Yield this node and every node below it, once each, with its dotted path ('' for this
        one).

        # Raises

        `ValueError` for a cycle.
        """
        seen: Dict[int, str] = {}

        def walk(
            node: LoggingMixin, path: str, above: Tuple[int, ...]
        ) -> Iterator[Tuple[str, "LoggingMixin"]]:
            if id(node) in above:
                raise ValueError(
                    f"The tree of logged values has a cycle: node '{node.log_key}' is its own "
                    f"descendant at '{path}'; remove it from the logging_children there."
                )
            if id(node) in seen:
                return
            seen[id(node)] = path
            yield path, node
            for child in node.logging_children:
                child_path = f"{path}.{child.log_key}" if path else child.log_key
                yield from walk(child, child_path, (*above, id(node)))

        yield from walk(self, "", ())

    def logged_values(self) -> Dict[str, LoggedValue]:
        """Return every value of the tree by its dotted name.

        # Raises

        `ValueError` if two values have the same name.
        """
        values: Dict[str, LoggedValue] = {}
        for path, node in self.nodes():
            for key, value in node.logging_buffer.items():
                name = f"{path}.{key}" if path else key
                if name in values:
                    raise ValueError(
                        f"Two logged values have the name '{name}' (the second is key '{key}' of "
                        f"a {type(node).__name__}); give one of the nodes another log_key."
                    )
                values[name] = value
        return values

    def get_all(
        self, reset: bool = False, of_type: Optional[Type[LoggedValue]] = None
    ) -> Dict[str, Any]:
        """Return all values of the tree by dotted name, with at most one copy from device to host.

        Values without logged items are omitted. `reset=True` resets the values; in distributed
        training it first merges them over workers, so every worker must call it.
        """
        values = {
            name: value
            for name, value in self.logged_values().items()
            if of_type is None or isinstance(value, of_type)
        }
        states = _to_host(list(values.values()))
        if reset and num_workers() > 1:
            states = _over_workers(list(values.values()), states)
        result = {}
        for (name, value), state in zip(values.items(), states, strict=True):
            if state.num_items:
                result[name] = value.read(state)
            if reset:
                value.reset()
        return result

    def get_metrics(self, reset: bool = False) -> Dict[str, Any]:
        """Return the metrics of this node: its own values, and a nested dictionary for each child.

        The model, the head of the tree, returns a flat dictionary instead, as AllenNLP's trainer
        requires: its task metrics, with the values of the tree appended under their dotted names.
        """
        nested: Dict[str, Any] = {}
        for name, value in self.get_all(reset).items():
            *path, key = name.split(".")
            place = nested
            for part in path:
                place = place.setdefault(part, {})
            place[key] = value
        return nested

    @contextmanager
    def no_logging(self) -> Iterator[None]:
        """Return a context in which this node and those below it log nothing; contexts nest."""
        nodes = [node for _, node in self.nodes()]
        for node in nodes:
            node._logging_paused += 1
        try:
            yield
        finally:
            for node in nodes:
                node._logging_paused -= 1

    def first_nonfinite(self) -> Optional[str]:
        """Return the dotted name of the value that is NaN or infinite and was logged first, or
        `None`: the origin of the error where training stops at the first such batch."""
        values = self.logged_values()
        bad = [name for name, value in self.get_all().items() if not np.all(np.isfinite(value))]
        return min(bad, key=lambda name: values[name].logged_at, default=None)

    def describe(self) -> str:
        """Return a drawing of the tree: the nodes, their classes, and the kinds of their values."""
        drawings: Dict[str, Tree] = {}
        for path, node in self.nodes():
            label = f"{node.log_key} ({type(node).__name__})"
            parent = drawings.get(path.rpartition(".")[0]) if path else None
            drawing = Tree(label) if parent is None else parent.add(label)
            drawings[path] = drawing
            for key, value in node.logging_buffer.items():
                drawing.add(f"{key}: {type(value).__name__}")
        console = Console(file=StringIO(), width=100, color_system=None)
        console.print(drawings[""], markup=False, highlight=False)
        text = console.file.getvalue()  # type: ignore[attr-defined]
        return "\n".join(line.rstrip() for line in text.splitlines())


def _to_host(values: List[LoggedValue]) -> List[LoggedState]:
    """Return the states of the values; those on an accelerator are copied at once."""
    tensors = [value.tensor for value in values if value.tensor is not None]
    device = next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), None)
    if device is not None:
        tensors = [tensor.to(device, non_blocking=True) for tensor in tensors]
    numbers: List[float] = torch.cat(tensors).tolist() if tensors else []
    states: List[LoggedState] = []
    start = 0
    for value in values:
        size = 0 if value.tensor is None else value.tensor.numel()
        states.append(LoggedState(value.count, numbers[start : start + size]))
        start += size
    return states


def _over_workers(values: List[LoggedValue], states: List[LoggedState]) -> List[LoggedState]:
    """Return the states, merged over all workers where the value is reduced over workers."""
    reduced = [i for i, value in enumerate(values) if value.reduced_over_workers]
    gathered = all_gather_object([states[i] for i in reduced])
    merged = list(states)
    for position, i in enumerate(reduced):
        merged[i] = values[i].merge([worker[position] for worker in gathered])
    return merged
