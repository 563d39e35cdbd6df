"""Subset accuracy and Hamming loss."""

import torch
from allennlp.training.metrics import Metric

from .structured_metric import SetMetric, Sums


@Metric.register("subset-accuracy")
class SubsetAccuracy(SetMetric):
    """The share of examples whose labels are all right."""

    name = "subset_accuracy"

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        right = (predictions == labels).all(1)
        return {"right": right.sum(), "count": torch.ones_like(right).sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return sums["right"] / sums["count"].double()


@Metric.register("hamming-loss")
class HammingLoss(SetMetric):
    """The share of decisions that are wrong; lower is better."""

    name = "hamming_loss"
    higher_is_better = False

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        wrong = predictions ^ labels
        return {"wrong": wrong.sum(), "count": torch.ones_like(wrong).sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return sums["wrong"] / sums["count"].double()
