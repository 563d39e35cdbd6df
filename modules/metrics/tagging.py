"""The accuracy of tags of tokens."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..vocabulary import names
from .structured_metric import Value
from .sums import Sums, ratio
from .tag_metric import TagMetric


@Metric.register("tag-accuracy")
class TagAccuracy(TagMetric):
    """The share of real tokens with the right tag.

    # Parameters

    by_tag : `bool`
        Whether to report each tag too, over the tokens that truly have it (`tag_accuracy.NOUN`).

    # Raises

    `ConfigurationError` for `by_tag` without a vocabulary.
    """

    name = "tag_accuracy"

    def __init__(self, vocab: Optional[Vocabulary] = None, by_tag: bool = False) -> None:
        super().__init__()
        if by_tag and vocab is None:
            raise ConfigurationError(
                "Expected a vocabulary, which names the tags, for by_tag: true of the metric "
                "'tag-accuracy', got none."
            )
        self.by_tag = by_tag
        self.kinds = ("tags",) if by_tag else ("tags", "trees")
        self.tags = names(vocab, "labels") if by_tag and vocab is not None else []

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        right = (predictions == labels) & mask
        if not self.by_tag:
            return {"right": right.sum(), "count": mask.sum()}
        none = torch.zeros(len(self.tags), dtype=torch.long, device=labels.device)
        return {
            key: none.scatter_add(0, labels.flatten(), which.flatten().long())
            for key, which in (("right", right), ("count", mask))
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["right"].sum(), sums["count"].sum(), empty=0.0)

    def values(self, sums: Sums) -> Value:
        if not self.by_tag:
            return self.number(sums)
        each = ratio(sums["right"], sums["count"], empty=0.0).tolist()
        rows = zip(self.tags, each, sums["count"].tolist(), strict=True)
        return {"": self.number(sums)} | {f".{tag}": value for tag, value, count in rows if count}
