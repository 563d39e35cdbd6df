"""F1 over examples, over all decisions, and over labels."""

import torch
from allennlp.training.metrics import Metric

from .structured_metric import SetMetric, Sums, ratio


@Metric.register("example-f1")
class ExampleF1(SetMetric):
    """The mean over examples of F1 = 2 |Y ∩ Ŷ| / (|Y| + |Ŷ|), 1 where both are empty.

    >>> metric = ExampleF1()
    >>> metric(torch.tensor([[0.9, 0.8, 0.1]]), torch.tensor([[True, False, False]]))
    >>> round(metric.get_metric(reset=True), 4)
    0.6667
    """

    name = "example_f1"

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        shared = (predictions & labels).sum(1)
        f1 = ratio(2 * shared, predictions.sum(1) + labels.sum(1), empty=1.0)
        return {"f1": f1.sum(), "count": torch.full_like(shared[:1], len(labels)).sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return sums["f1"] / sums["count"]


@Metric.register("micro-f1")
class MicroF1(SetMetric):
    """F1 over all decisions at once, 2 TP / (2 TP + FP + FN); 0 without any label."""

    name = "micro_f1"

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        return {
            "shared": (predictions & labels).sum(),
            "mass": predictions.sum() + labels.sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["shared"], sums["mass"], empty=0.0)


@Metric.register("macro-f1")
class MacroF1(SetMetric):
    """The mean over labels of F1; a label that is neither true nor predicted counts as 0, as in
    scikit-learn."""

    name = "macro_f1"

    def sums(
        self, probabilities: torch.Tensor, predictions: torch.Tensor, labels: torch.Tensor
    ) -> Sums:
        return {
            "shared": (predictions & labels).sum(0),
            "mass": predictions.sum(0) + labels.sum(0),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["shared"], sums["mass"], empty=0.0).mean()
