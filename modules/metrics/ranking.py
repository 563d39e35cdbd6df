"""Metrics of the labels with the k highest probabilities of each example."""

from abc import abstractmethod

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from .average_precision import ascending
from .set_metric import SetMetric
from .sums import UNIT, Sums, ratio, sum_in_units


def relevance_by_rank(scores: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """Return the probability that the item on each of the first k ranks is true, where equal scores
    are in random order: `(rows, min(k, items))`, in double, of scores and labels `(rows, items)`.

    >>> scores, labels = torch.tensor([[0.1, 0.9, 0.4, 0.4]]), torch.tensor([[0, 1, 1, 0]]) > 0
    >>> relevance_by_rank(scores, labels, k=3)
    tensor([[1.0000, 0.5000, 0.5000]], dtype=torch.float64)
    """
    k = min(k, scores.shape[1])
    scores, labels = ascending(scores, labels)
    highest = scores[:, scores.shape[1] - k :].flip(1).contiguous()
    first = torch.searchsorted(scores, highest)
    end = torch.searchsorted(scores, highest, right=True)
    so_far = torch.nn.functional.pad(labels.cumsum(1), (1, 0))
    return (so_far.gather(1, end) - so_far.gather(1, first)).double() / (end - first)


class RankingMetric(SetMetric):
    """The base of metrics of the k labels with the highest probabilities.

    Equal probabilities are in random order: the metric is the expectation over it, as in
    scikit-learn's `ndcg_score`. The decoded predictions play no part.

    # Parameters

    k : `int`
        The number of labels; all of an example of which fewer are known. For several k, list the
        metric several times.
    """

    uses_predictions = False

    def __init__(self, k: int = 5) -> None:
        super().__init__()
        if k < 1:
            raise ConfigurationError(
                f"Expected k to be at least 1 in the metric '{self.name}', got {k}."
            )
        self.k = k
        self.name = self.name_at(k)  # type: ignore[misc]

    @classmethod
    def name_at(cls, k: int = 5) -> str:
        """Return the name under which the value for k is reported."""
        return f"{cls.name}_{k}"

    @abstractmethod
    def of_ranks(
        self, relevance: torch.Tensor, true: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        """Return the value of each example in [0, 1], `(batch,)`, of the probabilities that its
        first ranks are true, `(batch, ranks)`, and of its numbers of true and of known labels."""

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        known = mask.sum(1)
        relevance = relevance_by_rank(probabilities, labels, self.k)
        values = self.of_ranks(relevance, labels.sum(1), known)
        is_judged = known > 0
        return {"units": sum_in_units(values * is_judged), "count": is_judged.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(UNIT * sums["units"].double(), sums["count"], empty=0.0)


@Metric.register("precision-at-k")
class PrecisionAtK(RankingMetric):
    """The mean over examples of the share of true labels among the k most probable ones.

    >>> metric = PrecisionAtK(k=2)
    >>> probabilities = torch.tensor([[0.9, 0.4, 0.1]])
    >>> metric(probabilities, probabilities > 0.5, torch.tensor([[True, False, True]]))
    >>> metric.name, metric.get_metric()
    ('p_at_2', 0.5)
    """

    name = "p_at"

    def of_ranks(
        self, relevance: torch.Tensor, true: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        # cumsum adds in order, so that the sum of an example does not depend on the batch.
        return ratio(relevance.cumsum(1)[:, -1], known.clamp(max=self.k), empty=0.0)


@Metric.register("ndcg-at-k")
class NormalizedGainAtK(RankingMetric):
    """The mean over examples of DCG / (the DCG of the best order), with DCG = Σ_r y_r / log2(1 + r)
    over the labels of the ranks r = 1 … k (Järvelin & Kekäläinen 2002).

    An example without a true label counts as 0, as in scikit-learn.

    >>> metric = NormalizedGainAtK(k=2)
    >>> probabilities = torch.tensor([[0.9, 0.4, 0.1]])
    >>> metric(probabilities, probabilities > 0.5, torch.tensor([[True, False, True]]))
    >>> metric.name, round(metric.get_metric(), 4)
    ('ndcg_at_2', 0.6131)
    """

    name = "ndcg_at"

    def of_ranks(
        self, relevance: torch.Tensor, true: torch.Tensor, known: torch.Tensor
    ) -> torch.Tensor:
        ranks = torch.arange(1, relevance.shape[1] + 1, device=relevance.device)
        discounts = 1 / (ranks.double() + 1).log2()
        gain = (relevance * discounts).cumsum(1)[:, -1]
        best = torch.nn.functional.pad(discounts.cumsum(0), (1, 0))
        return ratio(gain, best[true.clamp(max=relevance.shape[1])], empty=0.0)
