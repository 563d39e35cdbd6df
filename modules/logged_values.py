"""Logged values: how one quantity is accumulated, merged over workers and read."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, Literal, Optional, Sequence, Tuple, Union

import numpy as np
import torch

Loggable = Union[float, int, bool, np.ndarray, torch.Tensor]
State = Tuple[int, Sequence[float]]


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

    `count` is how many items it holds, on the host; `tensor` is what it accumulated, flat and on
    its device. Together they are its state: `read` makes the reported value of a state, `merge` one
    state of those of all workers.
    """

    reduced_over_workers = True
    accumulated: ClassVar[Tuple[str, ...]] = ("count", "tensor")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets what was logged."""
        self.logged_at = 0  # when, among all values, something was logged last
        self.count = 0
        self.tensor: Optional[torch.Tensor] = None

    @abstractmethod
    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        """Takes a value; `count` says how many items a scalar stands for (means only)."""

    def read(self, state: State) -> Union[float, np.ndarray, None]:
        """The reported value of a state; `None` if nothing was logged."""
        return state[1][0] if state[0] else None

    def merge(self, states: Sequence[State]) -> State:
        """The states of all workers as one; here that of the first worker that has any."""
        return next((state for state in states if state[0]), states[0])

    def state_dict(self) -> Dict[str, Any]:
        """What was accumulated since the last reset, for a checkpoint."""
        return {name: getattr(self, name) for name in self.accumulated}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        for name in self.accumulated:
            setattr(self, name, state_dict[name])

    @property
    def value(self) -> Union[float, np.ndarray, None]:
        """The reported value; copies it to the host."""
        return self.read((self.count, [] if self.tensor is None else self.tensor.tolist()))


class LoggedMean(LoggedValue):
    """The mean over all items logged since the last reset, Σ values / Σ counts.

    >>> mean = LoggedMean()
    >>> mean.log(torch.tensor([1.0, 2.0, 3.0]))
    >>> mean.log(6.0)
    >>> mean.value
    3.0
    """

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value)
        if count is not None and tensor.numel() != 1:
            raise ValueError(
                f"Expected a scalar with count={count}, got shape {tuple(tensor.shape)}; "
                "log the whole tensor without a count instead."
            )
        total = tensor.sum(dtype=torch.float64).view(1)
        if count is not None:
            total = total * count  # a scalar stands for `count` items of which it is the mean
        if self.tensor is None:
            self.tensor = total
        else:
            self.tensor = self.tensor.to(total.device) + total
        self.count += tensor.numel() if count is None else count

    def read(self, state: State) -> Optional[float]:
        return state[1][0] / state[0] if state[0] else None

    def merge(self, states: Sequence[State]) -> State:
        held = [state for state in states if state[0]]
        return sum(state[0] for state in held), [sum(state[1][0] for state in held)]


class LoggedLatest(LoggedValue):
    """The scalar that was logged last; in distributed training that of the first worker.

    >>> latest = LoggedLatest()
    >>> latest.log(1); latest.log(2)
    >>> latest.value
    2.0
    """

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value)
        if tensor.numel() != 1:
            raise ValueError(
                f"Expected a scalar, got shape {tuple(tensor.shape)}; use LoggedArray for arrays."
            )
        self.tensor = tensor.double().reshape(1).clone()
        self.count = 1


class LoggedArray(LoggedValue):
    """The array that was logged last, for plots; each worker keeps its own."""

    reduced_over_workers = False
    accumulated = ("count", "tensor", "shape")

    def reset(self) -> None:
        """Forgets what was logged."""
        super().reset()
        self.shape: Tuple[int, ...] = ()

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        array = _as_tensor(value)
        self.shape = tuple(array.shape)
        self.tensor = array.double().reshape(-1).clone()
        self.count = 1

    def read(self, state: State) -> Optional[np.ndarray]:
        if not state[0]:
            return None
        return np.asarray(state[1], dtype=np.float64).reshape(self.shape)


class LoggedExtremum(LoggedValue):
    """The largest (`max`) or smallest (`min`) item logged since the last reset."""

    def __init__(self, kind: Literal["max", "min"] = "max") -> None:
        if kind not in ("max", "min"):
            raise ValueError(f"Expected kind 'max' or 'min', got '{kind}'.")
        self.kind = kind
        super().__init__()

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        tensor = _as_tensor(value).double().reshape(-1)
        if not tensor.numel():
            return
        if self.tensor is not None:
            tensor = torch.cat([self.tensor.to(tensor.device), tensor])
        self.tensor = (tensor.max() if self.kind == "max" else tensor.min()).view(1)
        self.count = 1

    def merge(self, states: Sequence[State]) -> State:
        held = [state[1][0] for state in states if state[0]]
        return int(bool(held)), [max(held) if self.kind == "max" else min(held)] if held else []
