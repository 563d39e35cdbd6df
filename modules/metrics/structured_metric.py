"""The base of task metrics."""

import copy
from abc import abstractmethod
from typing import Any, ClassVar, Dict, List, Optional, Sequence, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..workers import num_workers

Value = Union[float, Dict[str, float]]
Sums = Dict[str, torch.Tensor]
UNIT = 2.0**-40  # of sums of fractions


class StructuredMetric(Metric):
    """A metric of predictions, accumulated batch by batch on their device.

    `__call__` is written once, here; a subclass gives the sums of a batch, which add up over
    batches and workers, and the value that the sums have. Inputs are never changed. `SetMetric` and
    `TagMetric` are the bases for an output space.
    """

    name: ClassVar[str]
    """The name under which the value is reported."""
    cheap: ClassVar[bool] = True
    """Whether the value is cheap enough to be read after every batch."""
    higher_is_better: ClassVar[bool] = True
    encoding_shape: ClassVar[Tuple[int, ...]] = ()
    """The shape of the probabilities of one position."""
    uses_predictions: ClassVar[bool] = True
    """Whether the outputs play a part, and not only the probabilities."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the sums."""
        self._sums: Optional[Sums] = None

    def state_dict(self) -> Dict[str, Any]:
        """Return the sums since the last reset."""
        return {"sums": copy.deepcopy(self._sums)}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Restore the sums of a `state_dict`."""
        self._sums = state_dict["sums"]

    @property
    def has_seen_data(self) -> bool:
        """Whether a batch was added since the last reset."""
        return self._sums is not None

    @abstractmethod
    def batch_sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> Sums:
        """Return the sums of a batch of probabilities `(batch, *event_shape)`, and of predictions
        and labels in the form that the reader yields."""

    def sums_at(
        self,
        probabilities: torch.Tensor,
        measure: torch.Tensor,
        labels: torch.Tensor,
        cutoffs: Sequence[float],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        """Return the sums of a batch where the positions are on whose measure, shaped like the
        probabilities, exceeds each of the rising cutoffs, `(num_cutoffs, ...)`."""
        each = [self.batch_sums(probabilities, measure > at, labels, mask) for at in cutoffs]
        return {key: torch.stack([sums[key] for sums in each]) for key in each[0]}

    def sums_at_both(
        self,
        probabilities: torch.Tensor,
        measures: Tuple[torch.Tensor, torch.Tensor],
        labels: torch.Tensor,
        cutoffs: Tuple[Sequence[float], Sequence[float]],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        """Return the sums of a batch where the positions are on whose two measures exceed each pair
        of the rising cutoffs, `(num_pairs, ...)`, the second cutoff varies fastest. Both measures
        order the positions of an instance alike."""
        first, second = measures
        each = [
            self.sums_at(
                probabilities, second.masked_fill(first <= at, -torch.inf), labels, cutoffs[1], mask
            )
            for at in cutoffs[0]
        ]
        return {key: torch.cat([sums[key] for sums in each]) for key in each[0]}

    @abstractmethod
    def value(self, sums: Sums) -> torch.Tensor:
        """Return the metric for these sums, a scalar."""

    def values(self, sums: Sums) -> Value:
        """Return the reported value, or several by name; '' is the name of the metric itself."""
        return self.number(sums)

    def number(self, sums: Sums) -> float:
        """Return the value as a number.

        # Raises

        `ValueError` if `value` did not return a scalar.
        """
        value = self.value(sums)
        if value.numel() != 1:
            raise ValueError(
                f"Expected {type(self).__name__}.value to return a scalar, got "
                f"{tuple(value.shape)}."
            )
        return float(value)

    def numbers(self, sums: Sums) -> List[float]:
        """Return the value at each cutoff of the result of `sums_at`."""
        count = len(next(iter(sums.values())))
        return [self.number({key: value[i] for key, value in sums.items()}) for i in range(count)]

    def __call__(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> None:
        """Add a batch of probabilities `(batch, *event_shape)`, and of predictions and labels in
        the form that the reader yields.

        # Raises

        `ValueError` where the shapes do not fit.
        """
        sums = self.batch_sums(probabilities.detach(), predictions, labels.detach(), mask)
        if self._sums is None:
            self._sums = sums
        else:
            self._sums = {key: self._join(self._sums[key], value) for key, value in sums.items()}

    def _join(self, held: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        if held.shape != added.shape:
            raise ValueError(
                f"Expected the sums of {type(self).__name__} to have one shape for any batch, got "
                f"{tuple(held.shape)} and then {tuple(added.shape)}."
            )
        return held + added

    def sums_by_instance(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        """Return the sums of each instance of a batch, `(batch, ...)`."""
        rows = [
            self.batch_sums(
                probabilities[[i]],
                predictions[[i]],
                labels[[i]],
                None if mask is None else mask[[i]],
            )
            for i in range(len(labels))
        ]
        return {key: torch.stack([row[key] for row in rows]) for key in rows[0]}

    def pairwise(
        self, truths: torch.Tensor, outputs: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the metric of each output of an instance where each of several labels is true, as
        if the pair were all data, `(batch, num_truths, num_outputs)`.

        Truths `(batch, num_truths, ...)` and outputs `(batch, num_outputs, ...)` have the form that
        the reader yields. A subclass may compute it faster. Metrics of probabilities have no such
        values.
        """
        values = []
        for row in range(len(outputs)):
            known = None if mask is None else mask[[row]]
            for truth in truths[row]:
                values += [self._of_pair(truth, output, known) for output in outputs[row]]
        shape = (*truths.shape[:2], outputs.shape[1])
        return torch.tensor(values, dtype=torch.float64, device=outputs.device).view(shape)

    def _of_pair(
        self, truth: torch.Tensor, output: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> float:
        # The probabilities play no part; they have the shape that the outputs need.
        probabilities = torch.zeros(1, *output.shape, *self.encoding_shape)
        return self.number(self.batch_sums(probabilities, output[None], truth[None], mask))

    def weighted(self, sums: Sums, counts: torch.Tensor) -> Sums:
        """Return the sums of data that hold each instance of `sums_by_instance` `counts` times.

        >>> from structured_energy.metrics import TagAccuracy
        >>> sums = {"right": torch.tensor([3, 0]), "count": torch.tensor([4, 2])}
        >>> weighted = TagAccuracy().weighted(sums, torch.tensor([1, 2]))
        >>> {key: float(value) for key, value in weighted.items()}
        {'right': 3.0, 'count': 8.0}
        """
        return {
            key: torch.tensordot(counts.double(), value.double(), dims=1)
            for key, value in sums.items()
        }

    def get_metric(self, reset: bool = False) -> Value:
        """Return the value, or several by name; with `reset`, over the data of all workers.

        # Raises

        `ValueError` where there was no data.
        """
        if self._sums is None:
            raise ValueError(f"Expected data before the metric '{self.name}' is asked, got none.")
        value = self.values(self.over_all_workers(self._sums) if reset else self._sums)
        if reset:
            self.reset()
        return value

    def over_all_workers(self, sums: Sums) -> Sums:
        """Return the sums over the data of all workers."""
        if num_workers() == 1:
            return sums
        return {key: self._over_workers(value) for key, value in sums.items()}

    def _over_workers(self, held: torch.Tensor) -> torch.Tensor:
        held = held.clone()
        torch.distributed.all_reduce(held)
        return held


class SetMetric(StructuredMetric):
    """The base of metrics of binary outputs.

    A position outside the mask counts nowhere, and an instance without any position in it is no
    example.
    """

    @abstractmethod
    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        """Return the sums of a batch of tensors `(batch, positions)`, bool but for the
        probabilities. Where the mask is false, these are −∞, predictions and labels false."""

    def batch_sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> Sums:
        if predictions.shape != labels.shape:
            raise ValueError(
                f"Expected predictions and labels of one shape in the metric '{self.name}', got "
                f"{tuple(predictions.shape)} and {tuple(labels.shape)}."
            )
        probabilities, labels, real = self.flat(probabilities, labels, mask)
        return self.sums(probabilities, predictions.flatten(1).bool() & real, labels, real)

    def flat(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return probabilities, labels and mask `(batch, positions)`, as `sums` takes them."""
        if probabilities.shape != labels.shape or (mask is not None and mask.shape != labels.shape):
            masked = "" if mask is None else f" with a mask {tuple(mask.shape)}"
            raise ValueError(
                f"Expected probabilities, labels and mask of one shape in the metric "
                f"'{self.name}', got {tuple(probabilities.shape)} and {tuple(labels.shape)}"
                f"{masked}."
            )
        probabilities, labels = probabilities.flatten(1), labels.flatten(1).bool()
        if mask is None:
            return probabilities, labels, torch.ones_like(labels)
        real = mask.flatten(1)
        return probabilities.masked_fill(~real, -torch.inf), labels & real, real


class TagMetric(StructuredMetric):
    """The base of metrics of categorical outputs: the tags of real tokens."""

    encoding_shape = (1,)

    @abstractmethod
    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        """Return the sums of a batch, of tags and a mask `(batch, num_tokens)`."""

    def batch_sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> Sums:
        if probabilities.shape[:-1] != labels.shape or predictions.shape != labels.shape:
            raise ValueError(
                f"Expected probabilities (batch, num_tokens, num_tags), and a predicted and a true "
                f"tag for each token, in the metric '{self.name}', got "
                f"{tuple(probabilities.shape)}, {tuple(predictions.shape)} and "
                f"{tuple(labels.shape)}."
            )
        if mask is None:
            mask = torch.ones_like(labels, dtype=torch.bool)
        return self.sums(predictions, labels, mask)


def as_structured(metric: Metric) -> StructuredMetric:
    """Return the metric if it is a `StructuredMetric`.

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


def sum_in_units(fractions: torch.Tensor) -> torch.Tensor:
    """Return the sum of fractions in [0, 1] along the last dimension, in integers of `UNIT`: unlike
    a sum of floating-point numbers, it is the same in any order and for any batches.

    Each fraction is rounded to a whole `UNIT`, and 4 million of them fit.

    >>> sum_in_units(torch.tensor([0.5, 0.25])) * UNIT
    tensor(0.7500)
    """
    return (fractions.double() / UNIT).round().long().sum(-1)
