"""Mean average precision, by example and by label."""

from typing import Any, List

import torch
from allennlp.training.metrics import Metric

from ..workers import of_all_workers
from .structured_metric import SetMetric, Sums, ratio


def average_precision(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Σ_n (R_n − R_{n−1}) P_n of each row of `(rows, items)`, over its distinct scores; NaN in rows
    without a true label. Equal scores are one threshold, as in scikit-learn."""
    scores, order = scores.sort(dim=1, descending=True)
    hits = labels.gather(1, order).double()
    places = torch.arange(scores.shape[1], device=scores.device)
    is_last = torch.ones_like(scores, dtype=torch.bool)
    is_last[:, :-1] = scores[:, :-1] != scores[:, 1:]
    ends = torch.where(is_last, places, scores.shape[1] - 1)  # the last item of equal scores
    ends = ends.flip(1).cummin(1).values.flip(1)
    precision = hits.cumsum(1).gather(1, ends) / (ends + 1)
    return (hits * precision).sum(1) / hits.sum(1)


@Metric.register("map-example")
class MeanAveragePrecisionByExample(SetMetric):
    """The mean over the examples that have a true label of the average precision of their labels;
    the threshold plays no part."""

    name = "map_example"
    uses_threshold = False

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        some = labels.any(1)
        return {
            "precision": average_precision(probabilities, labels).masked_fill(~some, 0.0).sum(),
            "count": some.sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["precision"], sums["count"], empty=0.0)


@Metric.register("map-label")
class MeanAveragePrecisionByLabel(SetMetric):
    """The mean over the labels that are true somewhere of the average precision of the examples.

    It is computed when it is asked for, over all examples seen, so it is asked at the end of an
    epoch only; the threshold plays no part.
    """

    name = "map_label"
    uses_threshold = False
    cheap = False

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        return {"probabilities": probabilities, "labels": labels}

    def _join(self, held: Any, added: torch.Tensor) -> Any:
        parts: List[torch.Tensor] = held if isinstance(held, list) else [held]
        parts.append(added)
        return parts

    def weighted(self, sums: Sums, counts: torch.Tensor) -> Sums:
        # The order of all instances is what counts, so they are there as often as it says.
        return {
            key: value.flatten(0, 1).repeat_interleave(counts, 0) for key, value in sums.items()
        }

    def _over_workers(self, held: Any) -> Any:
        return of_all_workers(_together(held).cpu())

    def value(self, sums: Sums) -> torch.Tensor:
        probabilities, labels = _together(sums["probabilities"]), _together(sums["labels"])
        some = labels.any(0)
        precision = average_precision(probabilities.T, labels.T).masked_fill(~some, 0.0)
        return ratio(precision.sum(), some.sum(), empty=0.0)


def _together(parts: Any) -> torch.Tensor:
    return torch.cat(parts) if isinstance(parts, list) else parts
