"""Thresholds: the probability above which a position is on."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import Iterator, List, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..settings import register_setting
from .f1 import ExampleF1
from .structured_metric import UNIT, Sums, as_structured

# Values that differ by no more are equal: a mean of rounded fractions is off by half a unit.
RESOLUTION = 2 * UNIT


class Threshold(torch.nn.Module, Registrable, ABC):
    """`value`, a scalar of the state dictionary: a label is on where its probability exceeds it.

    Where the threshold is tunable, `value` is fitted and the saved one is loaded with the weights;
    otherwise it is a setting, and that of the config wins over the saved one.
    """

    value: torch.Tensor
    tunable = False

    def __init__(self, value: float) -> None:
        super().__init__()
        if not 0.0 <= value <= 1.0:
            raise ConfigurationError(f"Expected a threshold in [0, 1], got {value}.")
        if self.tunable:
            self.register_buffer("value", torch.tensor(value))
        else:
            register_setting(self, "value", torch.tensor(value))

    @abstractmethod
    def observe(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> None:
        """Take a batch of `(batch, *event_shape)` to tune on."""

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """Set the threshold to the best one for the observed batches, at the end of the context."""
        yield


@Threshold.register("fixed")
class FixedThreshold(Threshold):
    """A constant threshold.

    # Parameters

    value : `float`
        In [0, 1].
    """

    def __init__(self, value: float = 0.5) -> None:
        super().__init__(value)

    def observe(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> None:
        return


@Threshold.register("tuned")
class TunedThreshold(Threshold):
    """The threshold of a grid that is best for a metric on the validation data.

    It is chosen anew at each validation, saved with the weights, and used as it is at test. Of
    equally good ones (up to 2e-12) the nearest to 0.5 is taken, and of two as near the lower one.
    The size of the batches and the number of workers have no influence.

    >>> threshold = TunedThreshold(candidates=9)
    >>> with threshold.tuning():
    ...     threshold.observe(torch.tensor([[0.3, 0.15]]), torch.tensor([[True, False]]))
    >>> round(float(threshold.value), 2)
    0.2

    # Parameters

    metric : `Metric`, optional
        The metric to optimise, in its own direction; `example-f1` by default.
    candidates : `int`
        The grid is i / (candidates + 1) for i = 1 … candidates.

    # Raises

    `ConfigurationError` without a candidate, or for a metric in which no threshold plays a part.
    """

    tunable = True

    def __init__(self, metric: Optional[Metric] = None, candidates: int = 99) -> None:
        super().__init__(0.5)
        if candidates < 1:
            raise ConfigurationError(f"Expected at least 1 candidate threshold, got {candidates}.")
        self.candidates = [i / (candidates + 1) for i in range(1, candidates + 1)]
        self.metric = as_structured(metric or ExampleF1())
        if not self.metric.uses_threshold:
            raise ConfigurationError(
                f"Expected a metric in which the threshold plays a part, such as 'example-f1', for "
                f"the threshold 'tuned', got '{self.metric.name}'."
            )
        self._sums: Optional[Sums] = None  # at each candidate

    def observe(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> None:
        sums = self.metric.sums_at(probabilities.detach(), labels.detach(), self.candidates, mask)
        held = self._sums
        self._sums = sums if held is None else {key: held[key] + sums[key] for key in sums}

    def curve(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> List[float]:
        """Return the metric at each candidate."""
        return self._values(self.metric.sums_at(probabilities, labels, self.candidates, mask))

    def _values(self, sums: Sums) -> List[float]:
        return [
            self.metric.number({key: value[i] for key, value in sums.items()})
            for i in range(len(self.candidates))
        ]

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """Set the threshold to the best one for the observed batches, at the end of the context;
        without an observation it does not change."""
        self._sums = None
        try:
            yield
            if self._sums is not None:
                values = self._values(self.metric.over_all_workers(self._sums))
                self.value.fill_(self.candidates[self._best(values)])
        finally:
            self._sums = None

    def _best(self, values: List[float]) -> int:
        """Return the index of the best candidate by the values of the metric."""
        sign = 1 if self.metric.higher_is_better else -1
        highest = max(sign * value for value in values)
        ties = [i for i, value in enumerate(values) if highest - sign * value <= RESOLUTION]
        return min(ties, key=lambda i: abs(2 * i + 1 - len(values)))  # in whole steps from 0.5
