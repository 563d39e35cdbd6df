"""Weights of losses that change with training."""

import bisect
import math
from abc import ABC, abstractmethod
from typing import List

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError


class WeightSchedule(torch.nn.Module, Registrable, ABC):
    """w(t), with t the number of steps of the network that the loss belongs to, so far.

    A step counts once, however often the loss is computed in it: in the descent of an `adversarial`
    loss the weight is constant. Evaluation does not count. t is saved with the weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.step = 0

    @abstractmethod
    def at(self, step: int) -> float:
        """w(t)."""

    @property
    def value(self) -> float:
        """w(t)."""
        return self.at(self.step)

    def advance(self) -> float:
        """Return w(t), then count the step: t ← t + 1."""
        value = self.value
        self.step += 1
        return value

    def get_extra_state(self) -> torch.Tensor:
        """Return t, which is saved."""
        return torch.tensor(self.step)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore t."""
        self.step = int(state)


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
    """The base of schedules that lead from one weight to another.

    # Parameters

    start : `float`
        w(0).
    end : `float`
        w(t) from `num_steps` on.
    num_steps : `int`
        How many steps it takes.
    """

    def __init__(self, start: float, end: float, num_steps: int) -> None:
        super().__init__()
        if num_steps < 1:
            raise ConfigurationError(
                f"Expected a schedule of a weight over at least 1 step, got num_steps {num_steps}."
            )
        self.start = start
        self.end = end
        self.num_steps = num_steps

    def _done(self, step: int) -> float:
        return min(step / self.num_steps, 1.0)


@WeightSchedule.register("linear")
class LinearWeight(_FromTo):
    """w(t) = start + (end − start) · min(t / num_steps, 1)."""

    def at(self, step: int) -> float:
        return self.start + (self.end - self.start) * self._done(step)


@WeightSchedule.register("cosine")
class CosineWeight(_FromTo):
    """w(t) = end + (start − end) · (1 + cos(π · min(t / num_steps, 1))) / 2."""

    def at(self, step: int) -> float:
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * self._done(step))) / 2


@WeightSchedule.register("stepwise")
class StepwiseWeight(WeightSchedule):
    """w(t) = values[i], i the number of boundaries that are at most t.

    # Parameters

    boundaries : `List[int]`
        Increasing.
    values : `List[float]`
        One more than there are boundaries.
    """

    def __init__(self, boundaries: List[int], values: List[float]) -> None:
        super().__init__()
        if len(values) != len(boundaries) + 1 or sorted(set(boundaries)) != boundaries:
            raise ConfigurationError(
                "Expected increasing boundaries and one value more than them in a stepwise "
                f"weight, got {boundaries} and {values}."
            )
        self.boundaries = boundaries
        self.values = values

    def at(self, step: int) -> float:
        return self.values[bisect.bisect_right(self.boundaries, step)]
