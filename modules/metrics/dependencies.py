"""Metrics of dependency trees, as in the shared task of CoNLL 2018 (Zeman et al. 2018)."""

from typing import ClassVar

import torch
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..vocabulary import names
from .structured_metric import Value
from .sums import Sums, ratio
from .tag_metric import TagMetric

PUNCTUATION = "punct"
FUNCTIONAL = ("aux", "case", "cc", "clf", "cop", "det", "mark")


class AttachmentMetric(TagMetric):
    """The base of metrics of heads and relations: the share of right tokens.

    Relations count without their subtypes, as in the shared task, so that `nmod:poss` is `nmod`. A
    text that is given in words has as many predicted as true words, and F1 over words is accuracy.
    """

    kinds = ("trees",)
    with_relations: ClassVar[bool] = True

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__()
        relations = [name.partition(":")[0] for name in names(vocab, "labels")] or [""]
        universal = sorted(set(relations))
        self._universal = torch.tensor([universal.index(name) for name in relations])
        self._is_content = torch.tensor(
            [name not in (*FUNCTIONAL, PUNCTUATION) for name in relations]
        )
        self._is_punctuation = torch.tensor([name == PUNCTUATION for name in relations])

    def relations(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the relations of labels 1 + head · R + relation of R relations."""
        return (labels - 1).clamp(min=0) % len(self._universal)

    def right(self, predictions: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the tokens with the right head and, if relations count, the right relation."""
        size = len(self._universal)
        heads, true_heads = (
            (values - 1).div(size, rounding_mode="floor") for values in (predictions, labels)
        )
        right = heads == true_heads
        if self.with_relations:
            universal = self._universal.to(labels.device)
            found, true = (universal[self.relations(values)] for values in (predictions, labels))
            right = right & (found == true)
        return right


class _TokenAttachment(AttachmentMetric):
    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        right = self.right(predictions, labels) & mask
        words = ~self._is_punctuation.to(labels.device)[self.relations(labels)] & mask
        return {
            "right": right.sum(),
            "count": mask.sum(),
            "right_words": (right & words).sum(),
            "words": words.sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["right"], sums["count"], empty=0.0)

    def values(self, sums: Sums) -> Value:
        of_words = ratio(sums["right_words"], sums["words"], empty=0.0)
        return {"": self.number(sums), "_without_punctuation": float(of_words)}


@Metric.register("uas")
class UnlabelledAttachmentScore(_TokenAttachment):
    """The share of tokens with the right head; `uas_without_punctuation` leaves out tokens whose
    true relation is `punct`."""

    name = "uas"
    with_relations = False


@Metric.register("las")
class LabelledAttachmentScore(_TokenAttachment):
    """The share of tokens with the right head and relation; `las_without_punctuation` leaves out
    tokens whose true relation is `punct`."""

    name = "las"


@Metric.register("clas")
class ContentAttachmentScore(AttachmentMetric):
    """F1 over the tokens with a content relation, which are right with their head and relation
    (Nivre & Fang 2017): without `aux`, `case`, `cc`, `clf`, `cop`, `det`, `mark` and `punct`."""

    name = "clas"

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        is_content = self._is_content.to(labels.device)
        predicted, true = (
            is_content[self.relations(each)] & mask for each in (predictions, labels)
        )
        return {
            "right": (self.right(predictions, labels) & true).sum(),
            "predicted": predicted.sum(),
            "true": true.sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["right"], sums["predicted"] + sums["true"], empty=0.0)
