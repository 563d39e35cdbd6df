"""Weights of losses that change during training."""

import bisect
import math
from abc import ABC, abstractmethod
from typing import List, Literal

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

Unit = Literal["steps", "epochs"]


class WeightSchedule(torch.nn.Module, Registrable, ABC):
    """A weight w(t), where t is the number of training steps of the network that the loss trains,
    or the epoch.

    A step counts once, even if the loss is computed several times in it: the weight is constant
    during the descent of an `adversarial` loss. Evaluation does not count. t is saved with the
    weights.

    # Parameters

    unit : `"steps"` or `"epochs"`
        The unit of t. In epochs, t is 0 in the first epoch of a run and constant within an epoch;
        the trainer `minimax` sets it.
    """

    def __init__(self, unit: Unit = "steps") -> None:
        super().__init__()
        if unit not in ("steps", "epochs"):
            raise ConfigurationError(
                f"Expected the unit 'steps' or 'epochs' in a schedule of a weight, got '{unit}'."
            )
        self.unit = unit
        self.step = 0
        self._in_epoch = False

    @abstractmethod
    def at(self, step: int) -> float:
        """Return w(t) for t = `step`."""

    @property
    def value(self) -> float:
        """The current weight, w(t)."""
        return self.at(self.step)

    def advance(self) -> float:
        """Return w(t), then count the step: t ← t + 1, unless t is in epochs.

        # Raises

        `ConfigurationError` where t is in epochs and no epoch has started.
        """
        value = self.value
        if self.unit == "steps":
            self.step += 1
        elif not self._in_epoch:
            raise ConfigurationError(
                "Expected a trainer that starts the epochs of a weight with the unit 'epochs', got "
                "none; use the trainer 'minimax', or the unit 'steps'."
            )
        return value

    def start_epoch(self, epoch: int) -> None:
        """Set t to the epoch, where it is in epochs."""
        self._in_epoch = True
        if self.unit == "epochs":
            self.step = epoch

    def get_extra_state(self) -> torch.Tensor:
        """Return t, for a checkpoint."""
        return torch.tensor(self.step)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore t."""
        self.step = int(state)


def start_epoch(model: torch.nn.Module, epoch: int) -> None:
    """Start an epoch in every schedule of a model."""
    for part in model.modules():
        if isinstance(part, WeightSchedule):
            part.start_epoch(epoch)


@WeightSchedule.register("constant")
class ConstantWeight(WeightSchedule):
    """w(t) = value.

    # Parameters

    value : `float`
        The weight.
    """

    def __init__(self, value: float) -> None:
        super().__init__()
        self.constant = value

    def at(self, step: int) -> float:
        return self.constant


class _FromTo(WeightSchedule):
    """The base of schedules from one weight to another.

    # Parameters

    start : `float`
        w(0).
    end : `float`
        w(t) for t ≥ `num_steps`.
    num_steps : `int`
        The number of steps, or epochs, from `start` to `end`.
    """

    def __init__(self, start: float, end: float, num_steps: int, unit: Unit = "steps") -> None:
        super().__init__(unit)
        if num_steps < 1:
            raise ConfigurationError(
                f"Expected a schedule of a weight over at least 1 step, got num_steps {num_steps}."
            )
        self.start = start
        self.end = end
        self.num_steps = num_steps

    def _progress(self, step: int) -> float:
        """Return min(t / num_steps, 1)."""
        return min(step / self.num_steps, 1.0)


@WeightSchedule.register("linear")
class LinearWeight(_FromTo):
    """w(t) = start + (end − start) · min(t / num_steps, 1)."""

    def at(self, step: int) -> float:
        return self.start + (self.end - self.start) * self._progress(step)


@WeightSchedule.register("cosine")
class CosineWeight(_FromTo):
    """w(t) = end + (start − end) · (1 + cos(π · min(t / num_steps, 1))) / 2."""

    def at(self, step: int) -> float:
        return (
            self.end + (self.start - self.end) * (1 + math.cos(math.pi * self._progress(step))) / 2
        )


@WeightSchedule.register("exponential")
class ExponentialWeight(_FromTo):
    """w(t) = start · (end / start)^min(t / num_steps, 1): the same factor in each step.

    # Raises

    `ConfigurationError` unless both weights are above 0.
    """

    def __init__(self, start: float, end: float, num_steps: int, unit: Unit = "steps") -> None:
        super().__init__(start, end, num_steps, unit)
        if start <= 0 or end <= 0:
            raise ConfigurationError(
                "Expected weights above 0 in an exponential schedule, got start "
                f"{start} and end {end}; use the schedule 'linear' or 'cosine' for others."
            )

    def at(self, step: int) -> float:
        return self.start * (self.end / self.start) ** self._progress(step)


@WeightSchedule.register("stepwise")
class StepwiseWeight(WeightSchedule):
    """w(t) = values[i], where i is the number of boundaries that are at most t.

    # Parameters

    boundaries : `List[int]`
        The steps, or epochs, at which the weight changes, increasing.
    values : `List[float]`
        The weights, one more than there are boundaries.
    """

    def __init__(self, boundaries: List[int], values: List[float], unit: Unit = "steps") -> None:
        super().__init__(unit)
        if len(values) != len(boundaries) + 1 or sorted(set(boundaries)) != boundaries:
            raise ConfigurationError(
                "Expected increasing boundaries and one value more than them in a stepwise "
                f"weight, got {boundaries} and {values}."
            )
        self.boundaries = boundaries
        self.values = values

    def at(self, step: int) -> float:
        return self.values[bisect.bisect_right(self.boundaries, step)]
