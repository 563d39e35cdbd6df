"""The base of task metrics."""

from abc import abstractmethod
from typing import ClassVar, Dict, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.training.metrics import Metric


class StructuredMetric(Metric):
    """A metric of binary predictions, accumulated batch by batch on their device.

    A prediction is on where its probability is above the threshold. `__call__` is written once,
    here; a subclass gives the sums of a batch, which add up over batches and workers, and the value
    that the sums have. Inputs are never changed, and nothing is copied to the host before
    `get_metric`.
    """

    name: ClassVar[str]
    """Under which the value is reported."""
    cheap: ClassVar[bool] = True
    """Whether it costs little to ask for the value after every batch."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets what was seen."""
        self._sums: Optional[Dict[str, torch.Tensor]] = None

    @property
    def has_seen_data(self) -> bool:
        """Whether there was a batch since the last reset."""
        return self._sums is not None

    @abstractmethod
    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Dict[str, torch.Tensor]:
        """What a batch adds, of tensors `(batch, positions)`; predictions and labels are bool."""

    @abstractmethod
    def value(self, sums: Dict[str, torch.Tensor]) -> torch.Tensor:
        """The metric of the sums, a scalar."""

    def __call__(
        self,
        probabilities: torch.Tensor,
        labels: torch.Tensor,
        threshold: Union[float, torch.Tensor] = 0.5,
    ) -> None:
        """Adds a batch of `(batch, *event_shape)`.

        # Raises

        `ValueError` where the shapes differ.
        """
        if probabilities.shape != labels.shape:
            raise ValueError(
                f"Expected probabilities and labels of one shape in the metric '{self.name}', got "
                f"{tuple(probabilities.shape)} and {tuple(labels.shape)}."
            )
        probabilities = probabilities.detach().flatten(1)
        labels = labels.detach().flatten(1).bool()
        sums = self.sums(probabilities, probabilities > threshold, labels)
        if self._sums is None:
            self._sums = sums
        else:
            self._sums = {key: self._join(self._sums[key], value) for key, value in sums.items()}

    def _join(self, held: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        return held + added

    def get_metric(self, reset: bool = False) -> float:
        """The value; with `reset` in distributed training that over all workers' data.

        # Raises

        `ValueError` where there was no data.
        """
        if self._sums is None:
            raise ValueError(f"Expected data before the metric '{self.name}' is asked, got none.")
        sums = self._sums
        if reset and is_distributed():
            sums = {key: self._over_workers(value) for key, value in sums.items()}
        value = float(self.value(sums))
        if reset:
            self.reset()
        return value

    def _over_workers(self, held: torch.Tensor) -> torch.Tensor:
        held = held.clone()
        torch.distributed.all_reduce(held)
        return held


def as_structured(metric: Metric) -> StructuredMetric:
    """The metric of a config, which must be a structured one.

    # Raises

    `ConfigurationError` for another of AllenNLP's metrics, which takes other arguments.
    """
    if not isinstance(metric, StructuredMetric):
        raise ConfigurationError(
            "Expected a metric of structured_energy.metrics (such as 'example-f1'), got "
            f"{type(metric).__name__}."
        )
    return metric


def ratio(numerator: torch.Tensor, denominator: torch.Tensor, empty: float) -> torch.Tensor:
    """numerator / denominator in double, and `empty` where the denominator is 0."""
    numerator, denominator = numerator.double(), denominator.double()
    return torch.where(
        denominator == 0,
        torch.full_like(numerator, empty),
        numerator / denominator.masked_fill(denominator == 0, 1.0),
    )
