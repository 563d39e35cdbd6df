"""F1 of the probabilities themselves, without a decision."""

import torch
from allennlp.training.metrics import Metric

from .set_metric import SetMetric
from .sums import UNIT, Sums, ratio, sum_in_units


@Metric.register("relaxed-f1")
class RelaxedF1(SetMetric):
    """F1 with probabilities in place of decisions: the mean over examples of
    2 Σ_i p_i y_i / (Σ_i p_i + Σ_i y_i), 1 where both sums are 0.

    It is the oracle value `per-instance-f1` of a relaxed output.

    >>> metric = RelaxedF1()
    >>> probabilities = torch.tensor([[0.5, 0.5, 0.0]])
    >>> metric(probabilities, probabilities > 0.5, torch.tensor([[True, True, False]]))
    >>> round(metric.get_metric(), 4)
    0.6667
    """

    name = "relaxed_f1"
    uses_predictions = False

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        probabilities = probabilities.masked_fill(~mask, 0.0)
        # In units, so that the sums of an example do not depend on the batch either.
        shared = sum_in_units(probabilities.masked_fill(~labels, 0.0))
        mass = sum_in_units(probabilities) + sum_in_units(labels)
        is_judged = mask.any(1)
        f1 = ratio(2 * shared, mass, empty=1.0) * is_judged
        return {"f1_units": sum_in_units(f1), "count": is_judged.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(UNIT * sums["f1_units"].double(), sums["count"], empty=0.0)
