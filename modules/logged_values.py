"""Values that are logged in batches, merged over workers and read at the end of an epoch."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, Literal, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch

Loggable = Union[float, int, bool, np.ndarray, torch.Tensor]


class LoggedState(NamedTuple):
    """The state of a logged value on the host, as workers exchange it.

    # Fields

    num_items : the number of logged items.
    numbers : the accumulated numbers, flat; empty if nothing was logged.
    """

    num_items: int = 0
    numbers: Sequence[float] = ()


def _as_tensor(value: Loggable) -> torch.Tensor:
    """Return the value as a detached tensor; a number or an array in double precision."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, (bool, int, float, np.ndarray, np.number)):
        return torch.as_tensor(value, dtype=torch.float64)
    raise TypeError(
        f"Expected a number, a numpy array or a tensor to log, got {type(value).__name__}."
    )


class LoggedValue(ABC):
    """A value that accumulates logged items until the next reset.

    It accumulates on the device of the logged tensors, so that logging copies nothing to the host:
    `count` is the number of logged items, and `tensor` holds the accumulated numbers, flat. For
    reading, both are copied to a `LoggedState`.
    """

    reduced_over_workers = True
    """Whether distributed training merges the states of all workers."""
    accumulated: ClassVar[Tuple[str, ...]] = ("count", "tensor")
    """The attributes that `state_dict` saves."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Discard everything that was logged."""
        self.logged_at = 0  # the time of the last call of `log`, in calls on any value
        self.count = 0
        self.tensor: Optional[torch.Tensor] = None

    @abstractmethod
    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        """Log a value. For a mean, `count` is the number of items that a scalar stands for."""

    def read(self, state: LoggedState) -> Union[float, np.ndarray, None]:
        """Return the reported value of a state, or `None` if nothing was logged."""
        return state.numbers[0] if state.num_items else None

    def merge(self, states: Sequence[LoggedState]) -> LoggedState:
        """Return the merged state of all workers: by default that of the first worker that logged
        anything."""
        return next((state for state in states if state.num_items), states[0])

    def state_dict(self) -> Dict[str, Any]:
        """Return everything that was logged since the last reset, for a checkpoint."""
        return {name: getattr(self, name) for name in self.accumulated}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Restore the result of `state_dict`."""
        for name in self.accumulated:
            setattr(self, name, state_dict[name])

    @property
    def value(self) -> Union[float, np.ndarray, None]:
        """The reported value; reading it copies it to the host."""
        return self.read(
            LoggedState(self.count, [] if self.tensor is None else self.tensor.tolist())
        )


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
            total = total * count  # the scalar is the mean of `count` items
        if self.tensor is None:
            self.tensor = total
        else:
            self.tensor = self.tensor.to(total.device) + total
        self.count += tensor.numel() if count is None else count

    def read(self, state: LoggedState) -> Optional[float]:
        return state.numbers[0] / state.num_items if state.num_items else None

    def merge(self, states: Sequence[LoggedState]) -> LoggedState:
        logged = [state for state in states if state.num_items]
        total = sum(state.numbers[0] for state in logged)
        return LoggedState(sum(state.num_items for state in logged), [total])


class LoggedLatest(LoggedValue):
    """The latest logged scalar; in distributed training that of the first worker.

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
    """The latest logged array, for plots; each worker reports its own."""

    reduced_over_workers = False
    accumulated = ("count", "tensor", "shape")

    def reset(self) -> None:
        """Discard everything that was logged."""
        super().reset()
        self.shape: Tuple[int, ...] = ()

    def log(self, value: Loggable, count: Optional[int] = None) -> None:
        array = _as_tensor(value)
        self.shape = tuple(array.shape)
        self.tensor = array.double().reshape(-1).clone()
        self.count = 1

    def read(self, state: LoggedState) -> Optional[np.ndarray]:
        if not state.num_items:
            return None
        return np.asarray(state.numbers, dtype=np.float64).reshape(self.shape)


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

    def merge(self, states: Sequence[LoggedState]) -> LoggedState:
        extrema = [state.numbers[0] for state in states if state.num_items]
        if not extrema:
            return LoggedState()
        return LoggedState(1, [max(extrema) if self.kind == "max" else min(extrema)])
