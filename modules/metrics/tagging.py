"""Metrics of sequences of tags: tokens, spans, roles."""

from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.dataset_readers.dataset_utils.span_utils import (
    bio_tags_to_spans,
    iob1_tags_to_spans,
)
from allennlp.training.metrics import Metric

from ..span_encodings import ENCODINGS, Encoding, as_bioul, base_encoding, is_tag_of
from ..vocabulary import names
from .structured_metric import Value
from .sums import Sums, ratio
from .tag_metric import TagMetric

Span = Tuple[str, Tuple[int, int]]


def whole_bioul_spans(tags: List[str]) -> List[Span]:
    """Return the spans U-X and B-X … L-X; tags between no such ends are in no span.

    >>> whole_bioul_spans(["U-X", "B-Y", "I-Y", "L-Y", "B-X", "I-Y", "L-X", "L-X"])
    [('X', (0, 0)), ('Y', (1, 3))]
    """
    spans: List[Span] = []
    start, label = -1, None  # of the span that is under way
    for at, tag in enumerate(tags):
        place, _, name = tag.partition("-")
        if place == "U":
            spans.append((name, (at, at)))
        elif place == "L" and name == label:
            spans.append((name, (start, at)))
        if place == "B":
            start, label = at, name
        elif place != "I" or name != label:
            label = None
    return spans


SPANS: Dict[str, Callable[[List[str]], List[Span]]] = {
    "BIO": bio_tags_to_spans,
    "BIOUL": whole_bioul_spans,
    "IOB1": iob1_tags_to_spans,
}


@Metric.register("tag-accuracy")
class TagAccuracy(TagMetric):
    """The share of real tokens with the right tag."""

    name = "tag_accuracy"

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        return {"right": ((predictions == labels) & mask).sum(), "count": mask.sum()}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["right"], sums["count"], empty=0.0)


@Metric.register("role-f1")
class RoleF1(TagMetric):
    """Micro-averaged F1 = 2 tp / (2 tp + fp + fn) over tokens and the tags that they have, without
    tags that say that there is nothing; reported for each tag as well (`role_f1.ARG0`).

    # Parameters

    without : `List[str]`
        The tags that do not count; by default no role, and the predicate itself.
    by_role : `bool`
        Whether to report each tag.
    """

    name = "role_f1"

    def __init__(
        self, vocab: Vocabulary, without: Sequence[str] = ("_", "O", "V"), by_role: bool = True
    ) -> None:
        super().__init__()
        self.tags = names(vocab, "labels")
        self.counted = [i for i, tag in enumerate(self.tags) if tag not in without]
        self.by_role = by_role
        if not self.counted:
            raise ConfigurationError(
                f"Expected tags that count in the metric 'role-f1', got only {self.tags}; change "
                "'without'."
            )

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        size = len(self.tags)
        right = labels[mask & (predictions == labels)]
        return {
            "right": torch.bincount(right, minlength=size),
            "predicted": torch.bincount(predictions[mask], minlength=size),
            "true": torch.bincount(labels[mask], minlength=size),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return _f1({key: value[self.counted].sum() for key, value in sums.items()})

    def values(self, sums: Sums) -> Value:
        values = {"": float(self.value(sums))}
        if self.by_role:
            for role in self.counted:
                counts = {key: value[role] for key, value in sums.items()}
                if counts["true"] + counts["predicted"] > 0:
                    values[f".{self.tags[role]}"] = float(_f1(counts))
        return values


@Metric.register("span-f1")
class SpanF1(TagMetric):
    """Micro-averaged F1 over spans, which count where their ends and their label are right, as in
    the evaluation of CoNLL 2000 (Tjong Kim Sang & Buchholz).

    # Parameters

    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"` or `"IOBES"`
        How the tags write spans; `BIOES` is another name of `IOBES`. In an ill-formed sequence, an
        I without a B before it starts a span in `BIO`, and a span without one of its ends does not
        count in `BIOUL` and `IOBES`.

    # Raises

    `ConfigurationError` for tags that are not of the encoding.
    """

    name = "span_f1"
    cheap = False

    def __init__(self, vocab: Vocabulary, encoding: Encoding = "BIO") -> None:
        super().__init__()
        if encoding not in ENCODINGS:
            raise ConfigurationError(
                "Expected the encoding of the metric 'span-f1' to be one of "
                f"{list(ENCODINGS)}, got '{encoding}'."
            )
        self.tags = names(vocab, "labels")
        self.encoding = encoding
        self._tags = [as_bioul(tag) for tag in self.tags]
        for tag in self.tags:
            if not is_tag_of(encoding, tag):
                raise ConfigurationError(
                    f"Expected tags of the encoding {encoding}, such as 'O' and 'B-PER', in the "
                    f"metric 'span-f1', got '{tag}'; choose another encoding, or another metric."
                )

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        counts = torch.zeros(3, dtype=torch.long)
        lengths = mask.sum(1).tolist()
        real = (predictions[mask].cpu().split(lengths), labels[mask].cpu().split(lengths))
        for predicted, true in zip(*real, strict=True):
            found, wanted = self._spans(predicted.tolist()), self._spans(true.tolist())
            counts += torch.tensor([len(found & wanted), len(found), len(wanted)])
        counts = counts.to(labels.device)
        return dict(zip(("right", "predicted", "true"), counts, strict=True))

    def pairwise(
        self, truths: torch.Tensor, outputs: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return F1 of each pair of sequences, see the base class; the spans of each sequence are
        found once."""
        counts = torch.empty(3, len(outputs), truths.shape[1], outputs.shape[1], dtype=torch.long)
        for row in range(len(outputs)):
            real = slice(None) if mask is None else mask[row]
            wanted, found = (
                [self._spans(numbers) for numbers in tags[row][:, real].tolist()]
                for tags in (truths, outputs)
            )
            counts[0, row] = torch.tensor([[len(t & y) for y in found] for t in wanted])
            counts[1, row] = torch.tensor([len(y) for y in found])
            counts[2, row] = torch.tensor([len(t) for t in wanted]).unsqueeze(1)
        sums = dict(zip(("right", "predicted", "true"), counts, strict=True))
        return _f1(sums).to(outputs.device)

    def _spans(self, numbers: List[int]) -> Set[Span]:
        tags = [self._tags[number] for number in numbers]
        return set(SPANS[base_encoding(self.encoding)](tags))

    def value(self, sums: Sums) -> torch.Tensor:
        return _f1(sums)


def _f1(counts: Sums) -> torch.Tensor:
    return ratio(2 * counts["right"], counts["predicted"] + counts["true"], empty=0.0)
