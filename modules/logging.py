"""The tree of logged values: what every part of a model reports, under one dotted name each.

A node (`LoggingMixin`) registers its values and its children in its constructor and writes with
`log`. The head of the tree, the model, collects them all with `get_all`.
"""

import math
import re
from abc import ABC, abstractmethod
from contextlib import contextmanager
from io import StringIO
from typing import Any, Dict, Iterator, List, Literal, Optional, Sequence, Tuple, Type, Union

import numpy as np
import torch
from allennlp.common.util import is_distributed
from rich.console import Console
from rich.tree import Tree

Loggable = Union[float, int, bool, np.ndarray, torch.Tensor]


def _as_tensor(value: Loggable) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, (bool, int, float, np.ndarray, np.number)):
        return torch.as_tensor(value, dtype=torch.float64)
    raise TypeError(
        f"Expected a number, a numpy array or a tensor to log, got {type(value).__name__}."
    )


class LoggedValue(ABC):
    """One logged value: it accumulates on the device of what is logged and is read in one copy.

    `pack` gives its state as a flat tensor without synchronising; `unpack` makes the reported value
    of that state, once it is on the host. `merge` combines the packed states of all workers
    `(workers, size)` into one.
    """

    reduced_over_workers = True

    @abstractmethod
    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        """Takes a value; `count` says how many items a scalar mean stands for."""

    @abstractmethod
    def pack(self) -> torch.Tensor:
        """The state as a one-dimensional tensor, still on its device."""

    @abstractmethod
    def unpack(self, state: Sequence[float]) -> Union[float, np.ndarray, None]:
        """The reported value of a packed state; `None` if nothing was logged."""

    @abstractmethod
    def merge(self, states: np.ndarray) -> Sequence[float]:
        """Combines the packed states of all workers, `(workers, size)`."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets what was logged."""


class LoggedMean(LoggedValue):
    """The mean over all items logged since the last reset, Σ values / Σ counts.

    >>> mean = LoggedMean()
    >>> mean.log(torch.tensor([1.0, 2.0, 3.0]))
    >>> mean.log(6.0)
    >>> mean.unpack(mean.pack().tolist())
    3.0
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._total: Optional[torch.Tensor] = None
        self._count = 0

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value)
        if count is not None and tensor.numel() != 1:
            raise ValueError(
                f"Expected a scalar with count={count}, got shape {tuple(tensor.shape)}; "
                "log the whole tensor without a count instead."
            )
        total = tensor.sum(dtype=torch.float64)
        self._total = total if self._total is None else self._total.to(total.device) + total
        # A scalar stands for `count` items of which it is the mean.
        if count is not None and count != 1:
            self._total = self._total + total * (count - 1)
        self._count += tensor.numel() if count is None else count

    def pack(self) -> torch.Tensor:
        total = torch.zeros((), dtype=torch.float64) if self._total is None else self._total
        return torch.stack([total, torch.full_like(total, self._count)])

    def unpack(self, state: Sequence[float]) -> Optional[float]:
        return state[0] / state[1] if state[1] else None

    def merge(self, states: np.ndarray) -> Sequence[float]:
        return states.sum(axis=0).tolist()


class LoggedLatest(LoggedValue):
    """The scalar that was logged last; in distributed training that of the first worker."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._value: Optional[torch.Tensor] = None

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value)
        if tensor.numel() != 1:
            raise ValueError(
                f"Expected a scalar, got shape {tuple(tensor.shape)}; use LoggedArray for arrays."
            )
        self._value = tensor.reshape(1)

    def pack(self) -> torch.Tensor:
        if self._value is None:
            return torch.zeros(2, dtype=torch.float64)
        return torch.cat([self._value.double(), torch.ones_like(self._value, dtype=torch.float64)])

    def unpack(self, state: Sequence[float]) -> Optional[float]:
        return state[0] if state[1] else None

    def merge(self, states: np.ndarray) -> Sequence[float]:
        return states[0].tolist()


class LoggedArray(LoggedValue):
    """The array that was logged last, for plots; each worker keeps its own."""

    reduced_over_workers = False

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._value: Optional[torch.Tensor] = None

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        self._value = _as_tensor(value).clone()

    def pack(self) -> torch.Tensor:
        if self._value is None:
            return torch.zeros(0, dtype=torch.float64)
        return self._value.double().reshape(-1)

    def unpack(self, state: Sequence[float]) -> Optional[np.ndarray]:
        if self._value is None:
            return None
        return np.asarray(state, dtype=np.float64).reshape(tuple(self._value.shape))

    def merge(self, states: np.ndarray) -> Sequence[float]:
        return states[0].tolist()


class LoggedExtremum(LoggedValue):
    """The largest (`max`) or smallest (`min`) item logged since the last reset."""

    def __init__(self, kind: Literal["max", "min"] = "max") -> None:
        if kind not in ("max", "min"):
            raise ValueError(f"Expected kind 'max' or 'min', got '{kind}'.")
        self.kind = kind
        self.reset()

    def reset(self) -> None:
        self._value: Optional[torch.Tensor] = None

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value).double()
        if not tensor.numel():
            return
        extremum = tensor.max() if self.kind == "max" else tensor.min()
        if self._value is not None:
            pick = torch.maximum if self.kind == "max" else torch.minimum
            extremum = pick(self._value.to(extremum.device), extremum)
        self._value = extremum

    def pack(self) -> torch.Tensor:
        if self._value is None:
            return torch.tensor([-math.inf if self.kind == "max" else math.inf, 0.0]).double()
        return torch.stack([self._value, torch.ones_like(self._value)])

    def unpack(self, state: Sequence[float]) -> Optional[float]:
        return state[0] if state[1] else None

    def merge(self, states: np.ndarray) -> Sequence[float]:
        value = states[:, 0].max() if self.kind == "max" else states[:, 0].min()
        return [float(value), float(states[:, 1].max())]


def _default_log_key(name: str) -> str:
    short = re.sub(r"(?<=.)(Loss|Sampler|Model)$", "", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", short).lower()


class LoggingMixin:
    """A node of the tree of logged values.

    # Parameters

    log_key : `Optional[str]`
        The node's part of the dotted names; by default the class name in snake_case without its
        kind (`MarginBasedLoss`: `margin_based`).
    """

    def __init__(self, log_key: Optional[str] = None) -> None:
        self.log_key = log_key or _default_log_key(type(self).__name__)
        if "." in self.log_key:
            raise ValueError(f"Expected a log_key without a dot, got '{self.log_key}'.")
        self.logging_buffer: Dict[str, LoggedValue] = {}
        self.logging_children: List[LoggingMixin] = []
        self._logging_paused = 0

    def log(self, key: str, value: Loggable, count: Optional[int] = None) -> None:
        """Logs `value` under the registered `key`; makes no device synchronisation."""
        if key not in self.logging_buffer:
            raise KeyError(
                f"'{key}' is not registered in the logging_buffer of node '{self.log_key}' "
                f"({type(self).__name__}), which has {sorted(self.logging_buffer)}; register it "
                "in the constructor."
            )
        if not self._logging_paused:
            self.logging_buffer[key].log(value, count)

    def get(self, key: str) -> Union[float, np.ndarray, None]:
        """The value of this node's own `key`; `None` if nothing was logged."""
        if key not in self.logging_buffer:
            raise KeyError(f"'{key}' is not registered in node '{self.log_key}'.")
        logged = self.logging_buffer[key]
        return logged.unpack(logged.pack().tolist())

    def nodes(self) -> Iterator[Tuple[str, "LoggingMixin"]]:
        """Every node below and including this one, once, with its dotted path ('' for itself).

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
        """Every value of the tree by its dotted name; two with one name are a `ValueError`."""
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
        """All values of the tree by dotted name, in at most one device-to-host copy.

        Values to which nothing was logged are left out. With `reset=True` in distributed training
        the values are reduced over workers (every worker must call it), then forgotten.
        """
        values = {
            name: value
            for name, value in self.logged_values().items()
            if of_type is None or isinstance(value, of_type)
        }
        if not values:
            return {}
        states = _to_host([value.pack() for value in values.values()])
        if reset and is_distributed():
            states = _over_workers(list(values.values()), states)
        result = {}
        for (name, value), state in zip(values.items(), states, strict=True):
            unpacked = value.unpack(state)
            if unpacked is not None:
                result[name] = unpacked
            if reset:
                value.reset()
        return result

    def get_metrics(self, reset: bool = False) -> Dict[str, Any]:
        """This node's part of the tree as a nested dictionary."""
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
        """Nothing is logged by this node and those below it inside the context; it nests."""
        nodes = [node for _, node in self.nodes()]
        for node in nodes:
            node._logging_paused += 1
        try:
            yield
        finally:
            for node in nodes:
                node._logging_paused -= 1

    def first_nonfinite(self) -> Optional[str]:
        """The dotted name of the first value of the tree that is NaN or infinite, if any."""
        for name, value in self.get_all().items():
            if not np.all(np.isfinite(value)):
                return name
        return None

    def describe(self) -> str:
        """A readable picture of the tree: nodes, their classes, and the kinds of their values."""
        pictures: Dict[str, Tree] = {}
        for path, node in self.nodes():
            label = f"{node.log_key} ({type(node).__name__})"
            parent = pictures.get(path.rpartition(".")[0]) if path else None
            picture = Tree(label) if parent is None else parent.add(label)
            pictures[path] = picture
            for key, value in node.logging_buffer.items():
                picture.add(f"{key}: {type(value).__name__}")
        console = Console(file=StringIO(), width=100, color_system=None)
        console.print(pictures[""], markup=False, highlight=False)
        text = console.file.getvalue()  # type: ignore[attr-defined]
        return "\n".join(line.rstrip() for line in text.splitlines())


def _to_host(packed: List[torch.Tensor]) -> List[List[float]]:
    """The packed states as numbers; all those on one accelerator come in one copy."""
    device = next((state.device for state in packed if state.device.type != "cpu"), None)
    if device is not None:
        packed = [state.to(device, non_blocking=True) for state in packed]
    numbers = torch.cat(packed).tolist()
    states, start = [], 0
    for state in packed:
        states.append(numbers[start : start + state.numel()])
        start += state.numel()
    return states


def _over_workers(values: List[LoggedValue], states: List[List[float]]) -> List[Sequence[float]]:
    """The states merged over all workers; what stays local to a worker is left as it is."""
    reduced = [i for i, value in enumerate(values) if value.reduced_over_workers]
    gathered: List[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(gathered, [states[i] for i in reduced])
    merged: List[Sequence[float]] = list(states)
    for position, i in enumerate(reduced):
        merged[i] = values[i].merge(np.asarray([worker[position] for worker in gathered]))
    return merged
