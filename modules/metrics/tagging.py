"""Metrics of tags of tokens: accuracy, and roles."""

import re
from collections import Counter
from typing import Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..span_encodings import Encoding
from ..vocabulary import names
from .spans import span_finder
from .structured_metric import Value
from .sums import Sums, ratio
from .tag_metric import TagMetric, TypedMetric, f1, precision, recall

_CORE = re.compile("A(RG)?[0-5A]")


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
        self.tags = names(vocab, "labels") if by_tag and vocab is not None else []

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        right = (predictions == labels) & mask
        if not self.by_tag:
            return {"right": right.sum(), "count": mask.sum()}
        return {
            key: torch.bincount(labels[which], minlength=len(self.tags))
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


class RoleMetric(TypedMetric):
    """The base of metrics of tokens and the roles that they have as tags, without tags that say
    that there is nothing: micro-averaged, and for each role under its name (`role_f1.ARG0`). Of
    roles that are spans, the metrics of spans are the measure.

    # Parameters

    without : `List[str]`
        The tags that do not count; by default no role, and the predicate itself.
    by_role : `bool`
        Whether to report each role.

    # Raises

    `ConfigurationError` where no tag counts.
    """

    def __init__(
        self, vocab: Vocabulary, without: Sequence[str] = ("_", "O", "V"), by_role: bool = True
    ) -> None:
        super().__init__(names(vocab, "labels"), without, by_role)
        if not self.counted:
            raise ConfigurationError(
                f"Expected tags that count in the metric '{self.name.replace('_', '-')}', got only "
                f"{self.types}; change 'without'."
            )

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        size = len(self.types)
        right = labels[mask & (predictions == labels)]
        return {
            "right": torch.bincount(right, minlength=size),
            "predicted": torch.bincount(predictions[mask], minlength=size),
            "true": torch.bincount(labels[mask], minlength=size),
        }


@Metric.register("repeated-roles")
class RepeatedRoles(TagMetric):
    """The share of predicates for which a core role is predicted more than once, although each is
    unique (Punyakanok et al. 2008; Li et al. 2020, the violations of unique core roles).

    # Parameters

    roles : `List[str]`, optional
        The unique roles; by default the core roles among the tags, ARG0 to ARG5 and ARGA, or A0 to
        A5 and AA.
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"` or `"IOBES"`, optional
        How the tags write roles that are spans; by default a role is a token.

    # Raises

    `ConfigurationError` for tags that are not of the encoding, and without unique roles.
    """

    name = "repeated_roles"
    higher_is_better = False
    uses_labels = False
    cheap = False

    def __init__(
        self,
        vocab: Vocabulary,
        roles: Optional[Sequence[str]] = None,
        encoding: Optional[Encoding] = None,
    ) -> None:
        super().__init__()
        self.tags = names(vocab, "labels")
        self.find = None if encoding is None else span_finder(self.tags, encoding, self.name)
        types = {tag if encoding is None else tag.partition("-")[2] for tag in self.tags}
        core = {role for role in types if _CORE.fullmatch(role)}
        self.roles = core if roles is None else set(roles)
        if not self.roles or not self.roles <= types:
            raise ConfigurationError(
                "Expected unique roles among the tags in the metric 'repeated-roles', got "
                f"{sorted(self.roles)} and the tags {', '.join(self.tags)[:200]}; set 'roles' and "
                "'encoding'."
            )

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        repeated = count = 0
        for row, real in zip(predictions.cpu(), mask.cpu(), strict=True):
            tags = [self.tags[number] for number in row[real].tolist()]
            found = tags if self.find is None else [label for label, _ in self.find(tags)]
            counts = Counter(found)
            repeated += any(counts[role] > 1 for role in self.roles)
            count += bool(tags)
        return {
            "repeated": torch.tensor(repeated, device=labels.device),
            "count": torch.tensor(count, device=labels.device),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["repeated"], sums["count"], empty=0.0)


@Metric.register("role-f1")
class RoleF1(RoleMetric):
    """F1 = 2 TP / (2 TP + FP + FN) of roles."""

    name = "role_f1"
    measure = staticmethod(f1)


@Metric.register("role-precision")
class RolePrecision(RoleMetric):
    """TP / (TP + FP) of roles; 0 where none is predicted."""

    name = "role_precision"
    measure = staticmethod(precision)


@Metric.register("role-recall")
class RoleRecall(RoleMetric):
    """TP / (TP + FN) of roles; 0 where none is true."""

    name = "role_recall"
    measure = staticmethod(recall)
