"""Metrics of masks."""

from typing import List

import torch
from allennlp.training.metrics import Metric

from .set_metric import SetMetric
from .structured_metric import Value
from .sums import UNIT, Sums, ratio, sum_in_units


@Metric.register("iou")
class IntersectionOverUnionMetric(SetMetric):
    """|Y ∩ Ŷ| / |Y ∪ Ŷ|: the mean over images, where an image without any pixel in either counts as
    1; and `iou_global`, over the pixels of all images at once, which is 1 where none has any.

    Void pixels count in neither, and an image of void pixels only has no part in the mean.

    >>> metric = IntersectionOverUnionMetric()
    >>> probabilities = torch.tensor([[[0.9, 0.8]], [[0.7, 0.1]]])
    >>> labels = torch.tensor([[[True, False]], [[True, False]]])
    >>> metric(probabilities, probabilities > 0.5, labels)
    >>> metric.get_metric()
    {'': 0.75, '_global': 0.6666666666666666}
    """

    name = "iou"

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        shared, union = (predictions & labels).sum(1), (predictions | labels).sum(1)
        is_judged = mask.any(1)
        iou = ratio(shared, union, empty=1.0) * is_judged
        return {
            "iou_units": sum_in_units(iou),
            "count": is_judged.sum(),
            "shared": shared.sum(),
            "union": union.sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(UNIT * sums["iou_units"].double(), sums["count"], empty=1.0)

    def numbers(self, sums: Sums) -> List[float]:
        return self.value(sums).tolist()  # of all cutoffs at once

    def values(self, sums: Sums) -> Value:
        overall = ratio(sums["shared"], sums["union"], empty=1.0)
        return {"": float(self.value(sums)), "_global": float(overall)}


@Metric.register("pixel-accuracy")
class PixelAccuracy(SetMetric):
    """The share of the pixels with a known label that are decided correctly; 1 without any."""

    name = "pixel_accuracy"

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        right = (predictions == labels) & mask
        return {"right": right.sum(), "count": mask.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["right"], sums["count"], empty=1.0)
