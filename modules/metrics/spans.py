"""Metrics of spans, which tags write."""

import functools
from typing import Callable, Dict, Hashable, List, Optional, Sequence, Set, Tuple

import torch
from allennlp.data import Vocabulary
from allennlp.data.dataset_readers.dataset_utils.span_utils import (
    bio_tags_to_spans,
    iob1_tags_to_spans,
)
from allennlp.training.metrics import Metric

from ..span_encodings import Encoding, as_bioul, base_encoding, check_tags
from ..vocabulary import names
from .sums import Sums
from .tag_metric import TypedMetric, f1, precision, recall

Span = Tuple[str, Tuple[int, int]]
Find = Callable[[List[str]], Sequence[Tuple[str, Hashable]]]


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


def span_finder(
    tags: Sequence[str], encoding: str, metric: str
) -> Callable[[List[str]], List[Span]]:
    """Return the function that finds the spans of a sequence of tags.

    # Raises

    `ConfigurationError` for an unknown encoding, and for tags that are not of it, in the name of
    the metric.
    """
    check_tags(tags, encoding, f"the metric '{metric.replace('_', '-')}'")
    return functools.partial(_spans_of, base_encoding(encoding))


def _spans_of(base: str, tags: List[str]) -> List[Span]:
    return SPANS[base]([as_bioul(tag) for tag in tags])


class PartMetric(TypedMetric):
    """The base of metrics of the parts of a sentence that its tags write, such as spans: a part
    counts where it is the same in the prediction and in the truth, with its type.

    # Parameters

    find : `Callable[[List[str]], List[Tuple[str, Hashable]]]`
        The parts of a sequence of tags: the type of each, and a value that is equal for equal ones.
    """

    cheap = False

    def __init__(
        self,
        tags: Sequence[str],
        find: Find,
        types: List[str],
        without: Sequence[str],
        by_type: bool,
    ) -> None:
        super().__init__(types, without, by_type)
        self.tags = tags
        self.find = find
        self._places = {self.types[i]: i for i in self.counted}

    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        counts = torch.zeros(3, len(self.types), dtype=torch.long)
        lengths = mask.sum(1).tolist()
        real = (predictions[mask].cpu().split(lengths), labels[mask].cpu().split(lengths))
        for predicted, true in zip(*real, strict=True):
            found, wanted = self._parts(predicted.tolist()), self._parts(true.tolist())
            for row, parts in enumerate((found & wanted, found, wanted)):
                for label, _ in parts:
                    counts[row, self._places[label]] += 1
        counts = counts.to(labels.device)
        return dict(zip(("right", "predicted", "true"), counts, strict=True))

    def pairwise(
        self, truths: torch.Tensor, outputs: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the value of each pair of sequences, see the base class; the parts of each
        sequence are found once."""
        counts = torch.empty(3, len(outputs), truths.shape[1], outputs.shape[1], dtype=torch.long)
        for row in range(len(outputs)):
            real = slice(None) if mask is None else mask[row]
            wanted, found = (
                [self._parts(numbers) for numbers in tags[row][:, real].tolist()]
                for tags in (truths, outputs)
            )
            counts[0, row] = torch.tensor([[len(t & y) for y in found] for t in wanted])
            counts[1, row] = torch.tensor([len(y) for y in found])
            counts[2, row] = torch.tensor([len(t) for t in wanted]).unsqueeze(1)
        sums = dict(zip(("right", "predicted", "true"), counts, strict=True))
        return self.measure(sums).to(outputs.device)

    def confusion(
        self, predictions: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return how often a part of each type that counts is true (rows) where one of each type is
        predicted at the same place (columns), `(num_types + 1, num_types + 1)`; the last row and
        column are of places with no such part.

        The diagonal has the right parts; rows and columns sum to the true and the predicted ones.
        """
        counts = torch.zeros(len(self.counted) + 1, len(self.counted) + 1, dtype=torch.long)
        number = {self.types[i]: at for at, i in enumerate(self.counted)}
        for row in range(len(labels)):
            real = slice(None) if mask is None else mask[row]
            wanted, found = (
                {place: number[label] for label, place in self._parts(tags[row][real].tolist())}
                for tags in (labels, predictions)
            )
            for place in {*wanted, *found}:
                counts[wanted.get(place, -1), found.get(place, -1)] += 1
        return counts

    def _parts(self, numbers: List[int]) -> Set[Tuple[str, Hashable]]:
        parts = self.find([self.tags[number] for number in numbers])
        return {part for part in parts if part[0] in self._places}


class SpanMetric(PartMetric):
    """The base of metrics of spans, which count where their ends and their label are right, as in
    the evaluation of CoNLL 2000 (Tjong Kim Sang & Buchholz): micro-averaged, and for each label
    under its name (`span_f1.NP`).

    # Parameters

    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"` or `"IOBES"`
        How the tags write spans; `BIOES` is another name of `IOBES`. In an ill-formed sequence, an
        I without a B before it starts a span in `BIO`, and a span without one of its ends does not
        count in `BIOUL` and `IOBES`.
    without : `List[str]`
        The labels of spans that do not count, such as `V`, the predicate among semantic roles.
    by_type : `bool`
        Whether to report each label.

    # Raises

    `ConfigurationError` for tags that are not of the encoding.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoding: Encoding = "BIO",
        without: Sequence[str] = (),
        by_type: bool = True,
    ) -> None:
        tags = names(vocab, "labels")
        labels = {tag.partition("-")[2] for tag in tags if tag != "O"}
        find = span_finder(tags, encoding, self.name)
        super().__init__(tags, find, sorted(labels), without, by_type)


@Metric.register("span-f1")
class SpanF1(SpanMetric):
    """F1 = 2 TP / (2 TP + FP + FN) of spans."""

    name = "span_f1"
    measure = staticmethod(f1)


@Metric.register("span-precision")
class SpanPrecision(SpanMetric):
    """TP / (TP + FP) of spans; 0 where none is predicted."""

    name = "span_precision"
    measure = staticmethod(precision)


@Metric.register("span-recall")
class SpanRecall(SpanMetric):
    """TP / (TP + FN) of spans; 0 where none is true."""

    name = "span_recall"
    measure = staticmethod(recall)
