"""The base of task metrics."""

import copy
import functools
import itertools
from abc import abstractmethod
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..workers import num_workers
from .sums import Sums

Value = Union[float, Dict[str, float]]
_EXAMPLES = {"sets": "example-f1", "tags": "tag-accuracy", "trees": "las"}


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
    uses_labels: ClassVar[bool] = True
    """Whether the labels play a part."""
    kinds: Tuple[str, ...] = ("sets", "tags", "trees")
    """The kinds of outputs that have the metric, see `OutputSpace.kind`."""

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
        the reader yields. The pairs of an instance are computed at once where `torch.vmap` takes
        the operations of the metric, otherwise one after another. Metrics of probabilities have no
        such values.
        """
        rows = []
        for row in range(len(outputs)):
            known = None if mask is None else mask[row]
            of_pair = functools.partial(self._of_pair, known)
            try:
                of_truth = torch.vmap(of_pair, (None, 0))
                rows.append(torch.vmap(of_truth, (0, None))(truths[row], outputs[row]))
            except RuntimeError:  # an operation without a rule in vmap, or out of memory
                pairs = itertools.product(truths[row], outputs[row])
                values = torch.stack([of_pair(*pair) for pair in pairs])
                rows.append(values.view(truths.shape[1], outputs.shape[1]))
        return torch.stack(rows).double()

    def _of_pair(
        self, mask: Optional[torch.Tensor], truth: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        # The probabilities play no part; they have the shape that the outputs need.
        shape = (1, *output.shape, *self.encoding_shape)
        probabilities = torch.zeros(shape, device=output.device)
        known = None if mask is None else mask[None]
        return self.value(self.batch_sums(probabilities, output[None], truth[None], known))

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


def fitting(metric: Metric, kind: str, component: str) -> StructuredMetric:
    """Return the metric if outputs of a kind have it.

    # Parameters

    kind : `str`
        `OutputSpace.kind`.
    component : `str`
        What takes the metric, for errors.

    # Raises

    `ConfigurationError` for another metric.
    """
    metric = as_structured(metric)
    if kind not in metric.kinds:
        raise ConfigurationError(
            f"Expected a metric of the output space, such as '{_EXAMPLES[kind]}', for {component}, "
            f"got '{metric.name}', which is of other outputs."
        )
    return metric


def values_of(metrics: Mapping[str, StructuredMetric], reset: bool) -> Dict[str, float]:
    """Return the values of the metrics that have seen data, by name; the expensive ones only with
    `reset`."""
    values: Dict[str, float] = {}
    for name, metric in metrics.items():
        if (reset or metric.cheap) and metric.has_seen_data:
            value = metric.get_metric(reset)
            several = value if isinstance(value, dict) else {"": value}
            values.update({name + which: number for which, number in several.items()})
    return values
