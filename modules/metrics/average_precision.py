"""Average precision: the mean over examples, over labels, and of all decisions at once."""

from abc import abstractmethod
from typing import Any, List, Tuple

import torch
from allennlp.training.metrics import Metric

from ..workers import all_gather_object
from .set_metric import SetMetric
from .sums import UNIT, Sums, ratio, sum_in_units

_AT_ONCE = 2**18  # items, few enough that their scores stay in the cache


def average_precision(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Σ_n (R_n − R_{n−1}) P_n of each row of `(rows, items)`, over its distinct scores; NaN in rows
    without a true label. Equal scores are one threshold, as in scikit-learn.

    >>> average_precision(torch.tensor([[0.1, 0.4, 0.35, 0.8]]), torch.tensor([[0, 0, 1, 1]]) > 0)
    tensor([0.8333], dtype=torch.float64)
    """
    rows = max(1, _AT_ONCE // max(1, scores.shape[1]))
    parts = zip(scores.split(rows), labels.split(rows), strict=True)
    return torch.cat([_average_precision(*part) for part in parts])


def _average_precision(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    scores, hits = ascending(scores, labels)
    items = scores.shape[1]
    is_first = torch.ones_like(scores, dtype=torch.bool)
    is_first[:, 1:] = scores[:, 1:] != scores[:, :-1]
    places = torch.arange(items, dtype=torch.int32, device=scores.device)
    first = torch.where(is_first, places, 0).cummax(1).values  # of equal scores
    so_far = hits.cumsum(1, dtype=torch.int32)
    row, place = hits.nonzero(as_tuple=True)
    first = first[row, place]
    # How many hits, and how many items, have at least the score of this hit: their ratio is P_n.
    reached = so_far[row, -1] - so_far[row, first] + hits[row, first]
    precision = reached.double() / (items - first)
    sums = precision.new_zeros(len(scores)).index_add_(0, row, precision)
    return sums / hits.sum(1)


def ascending(scores: torch.Tensor, labels: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return the scores of each row from low to high (or integers of the same order),
    and their labels."""
    if scores.device.type != "cpu" or scores.dtype != torch.float32:
        scores, order = scores.sort(dim=1)
        return scores, labels.gather(1, order)
    # NumPy sorts integers twenty times as fast as PyTorch sorts numbers and their places;
    # the bits of a number are an integer in its order (reversed where it is negative), the label is
    # put behind the last of them.
    bits = (scores + 0.0).contiguous().view(torch.int32)  # + 0: of −0 and 0 the same
    keys = (bits ^ (bits >> 31 & 0x7FFFFFFF)).long().mul_(2).add_(labels)
    keys.numpy().sort(axis=1)
    return keys >> 1, (keys & 1).bool()


@Metric.register("map-example")
class MeanAveragePrecisionByExample(SetMetric):
    """The mean over the examples that have a true label of the average precision of their labels;
    the outputs play no part."""

    name = "map_example"
    uses_predictions = False

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        some = labels.any(1)
        precision = average_precision(probabilities, labels).masked_fill(~some, 0.0)
        return {"precision_units": sum_in_units(precision), "count": some.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return UNIT * ratio(sums["precision_units"], sums["count"], empty=0.0)


class OverallAveragePrecision(SetMetric):
    """The base of metrics that rank decisions of different examples.

    They are computed when they are asked for, over all examples seen, so they are asked at the end
    of an epoch only; the decoded predictions play no part.
    """

    uses_predictions = False
    cheap = False

    @abstractmethod
    def of_all(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the value of all examples, `(examples, positions)`, a scalar."""

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        return {"probabilities": probabilities, "labels": labels}

    def _join(self, held: Any, added: torch.Tensor) -> Any:
        parts: List[torch.Tensor] = held if isinstance(held, list) else [held]
        parts.append(added)
        return parts

    def weighted(self, sums: Sums, counts: torch.Tensor) -> Sums:
        # Average precision depends on the order of all instances, so each is repeated.
        return {
            key: value.flatten(0, 1).repeat_interleave(counts, 0) for key, value in sums.items()
        }

    def _over_workers(self, held: Any) -> Any:
        return all_gather_object(_together(held).cpu())

    def value(self, sums: Sums) -> torch.Tensor:
        return self.of_all(_together(sums["probabilities"]), _together(sums["labels"]))


@Metric.register("map-label")
class MeanAveragePrecisionByLabel(OverallAveragePrecision):
    """The mean over the labels that are true somewhere of the average precision of the examples."""

    name = "map_label"

    def of_all(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        some = labels.any(0)
        precision = average_precision(probabilities.T, labels.T).masked_fill(~some, 0.0)
        return ratio(precision.sum(), some.sum(), empty=0.0)


@Metric.register("map-micro")
class MicroAveragePrecision(OverallAveragePrecision):
    """The average precision of all decisions at once, those of all examples and labels; 0 without a
    true label."""

    name = "map_micro"

    def of_all(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return average_precision(probabilities.reshape(1, -1), labels.reshape(1, -1)).nan_to_num()[
            0
        ]


def _together(parts: Any) -> torch.Tensor:
    return torch.cat(parts) if isinstance(parts, list) else parts
