"""Subset accuracy and Hamming loss."""

import torch
from allennlp.training.metrics import Metric

from .set_metric import SetMetric
from .sums import Sums, ratio


@Metric.register("subset-accuracy")
class SubsetAccuracy(SetMetric):
    """The share of examples whose labels are all predicted correctly."""

    name = "subset_accuracy"

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        known = mask.any(1)
        right = (predictions == labels).all(1) & known
        return {"right": right.sum(), "count": known.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["right"], sums["count"], empty=0.0)


@Metric.register("hamming-loss")
class HammingLoss(SetMetric):
    """The share of wrong decisions; lower is better."""

    name = "hamming_loss"
    higher_is_better = False

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        return {"wrong": (predictions ^ labels).sum(), "count": mask.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["wrong"], sums["count"], empty=0.0)
