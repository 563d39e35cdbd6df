"""Where a probability becomes a label."""

import copy
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import Iterator, List, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from .f1 import ExampleF1
from .structured_metric import StructuredMetric, as_structured


class Threshold(torch.nn.Module, Registrable, ABC):
    """`value`, a scalar of the state dictionary: a label is on where its probability exceeds it."""

    value: torch.Tensor
    tunable = False

    def __init__(self, value: float) -> None:
        super().__init__()
        if not 0.0 <= value <= 1.0:
            raise ConfigurationError(f"Expected a threshold in [0, 1], got {value}.")
        self.register_buffer("value", torch.tensor(value))

    @abstractmethod
    def observe(self, probabilities: torch.Tensor, labels: torch.Tensor) -> None:
        """Takes a batch of `(batch, *event_shape)` to tune on."""

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """At the end of the context the threshold is the best for what was observed in it."""
        yield


@Threshold.register("fixed")
class FixedThreshold(Threshold):
    """A threshold that stays as it is.

    # Parameters

    value : `float`
        In [0, 1].
    """

    def __init__(self, value: float = 0.5) -> None:
        super().__init__(value)

    def observe(self, probabilities: torch.Tensor, labels: torch.Tensor) -> None:
        return


@Threshold.register("tuned")
class TunedThreshold(Threshold):
    """The threshold of a grid that is best for a metric on the validation data.

    It is chosen anew at each validation, saved with the weights, and used as it is at test. Of
    equally good ones the nearest to 0.5 is taken.

    >>> threshold = TunedThreshold(candidates=9)
    >>> with threshold.tuning():
    ...     threshold.observe(torch.tensor([[0.3, 0.15]]), torch.tensor([[True, False]]))
    >>> round(float(threshold.value), 2)
    0.2

    # Parameters

    metric : `Metric`, optional
        What to maximise; `example-f1` by default.
    candidates : `int`
        The grid is i / (candidates + 1) for i = 1 … candidates.
    """

    tunable = True

    def __init__(self, metric: Optional[Metric] = None, candidates: int = 99) -> None:
        super().__init__(0.5)
        if candidates < 1:
            raise ConfigurationError(f"Expected at least 1 candidate threshold, got {candidates}.")
        self.candidates = [i / (candidates + 1) for i in range(1, candidates + 1)]
        self.metric = as_structured(metric or ExampleF1())
        self._metrics: List[StructuredMetric] = []

    def observe(self, probabilities: torch.Tensor, labels: torch.Tensor) -> None:
        for metric, candidate in zip(self._metrics, self.candidates, strict=False):
            metric(probabilities, labels, candidate)

    def curve(self, probabilities: torch.Tensor, labels: torch.Tensor) -> List[float]:
        """The metric at each candidate."""
        values = []
        for candidate in self.candidates:
            metric = copy.deepcopy(self.metric)
            metric.reset()
            metric(probabilities, labels, candidate)
            found = metric.get_metric(reset=True)
            values.append(found[""] if isinstance(found, dict) else found)
        return values

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """At the end of the context the threshold is the best for what was observed in it; without
        an observation it stays."""
        self._metrics = [copy.deepcopy(self.metric) for _ in self.candidates]
        try:
            yield
            if self._metrics[0].has_seen_data:
                scores = [
                    float(metric.value(metric.over_all_workers())) for metric in self._metrics
                ]
                best = max(
                    zip(scores, self.candidates, strict=True),
                    key=lambda pair: (pair[0], -abs(pair[1] - 0.5), -pair[1]),
                )
                self.value.fill_(best[1])
        finally:
            self._metrics = []
