"""F1 over examples, over all decisions, and over labels."""

import functools
from abc import abstractmethod
from typing import ClassVar, List, Optional, Sequence, Tuple

import torch
from allennlp.training.metrics import Metric

from .set_metric import SetMetric
from .sums import UNIT, Sums, in_units, ratio

_LARGEST_TABLE = 2**20


def counts_at(
    measure: torch.Tensor, labels: torch.Tensor, cutoffs: Sequence[float]
) -> Tuple[torch.Tensor, torch.Tensor]:
    """|Y ∩ Ŷ| and |Ŷ| of each row at each cutoff, `(num_cutoffs, rows)`: the measures of a row are
    sorted into the gaps between the cutoffs once, and summed up from above."""
    edges = torch.tensor(cutoffs, dtype=measure.dtype, device=measure.device)
    gaps = len(cutoffs) + 1
    gap = torch.bucketize(measure.contiguous(), edges)  # how many cutoffs are below
    gap += gaps * torch.arange(len(gap), device=gap.device).unsqueeze(1)

    def above(held: torch.Tensor) -> torch.Tensor:
        counts = torch.bincount(held, minlength=gap.shape[0] * gaps).view(-1, gaps)
        return counts[:, 1:].flip(1).cumsum(1).flip(1).T

    return above(gap[labels]), above(gap.flatten())


def f1_units(shared: torch.Tensor, mass: torch.Tensor) -> torch.Tensor:
    """F1 = 2 |Y ∩ Ŷ| / (|Y| + |Ŷ|) in integers of `UNIT`, and 1 where the mass |Y| + |Ŷ| is 0.

    On a CPU the values of many examples are looked up in a table of all pairs of the two counts.
    """
    if mass.device.type == "cpu" and mass.numel():
        # Powers of 2, so that there are few tables.
        rows, columns = (1 << int(each.max()).bit_length() for each in (shared, mass))
        if rows * columns <= min(mass.numel(), _LARGEST_TABLE):
            return torch.take(_table(rows, columns), torch.add(mass, shared, alpha=columns))
    return in_units(ratio(2 * shared, mass, empty=1.0))


@functools.lru_cache(maxsize=8)
def _table(rows: int, columns: int) -> torch.Tensor:
    shared, mass = torch.arange(rows).unsqueeze(1), torch.arange(columns)
    return in_units(ratio(2 * shared, mass.expand(rows, columns), empty=1.0))


class F1(SetMetric):
    """The base of F1 scores: they are functions of |Y ∩ Ŷ|, |Ŷ| and |Y| of examples or labels."""

    by_label: ClassVar[bool] = False

    @abstractmethod
    def of_counts(
        self,
        shared: torch.Tensor,
        predicted: torch.Tensor,
        true: torch.Tensor,
        known: torch.Tensor,
    ) -> Sums:
        """Return the sums of a batch, of |Y ∩ Ŷ|, |Ŷ|, |Y| and the number of known positions,
        `(..., examples)` or `(..., labels)`."""

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        axis = 0 if self.by_label else 1
        shared = (predictions & labels).sum(axis)
        return self.of_counts(shared, predictions.sum(axis), labels.sum(axis), mask.sum(axis))

    def sums_at(
        self,
        probabilities: torch.Tensor,
        measure: torch.Tensor,
        labels: torch.Tensor,
        cutoffs: Sequence[float],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        measure, labels, mask = self.flat(measure, labels, mask)
        if self.by_label:
            measure, labels, mask = measure.T, labels.T, mask.T
        shared, predicted = counts_at(measure, labels, cutoffs)
        true, known = (each.sum(1).expand_as(shared) for each in (labels, mask))
        return self.of_counts(shared, predicted, true, known)

    def sums_at_both(
        self,
        probabilities: torch.Tensor,
        measures: Tuple[torch.Tensor, torch.Tensor],
        labels: torch.Tensor,
        cutoffs: Tuple[Sequence[float], Sequence[float]],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        if self.by_label:  # over the instances of a label the measures are in different orders
            return super().sums_at_both(probabilities, measures, labels, cutoffs, mask)
        counts = []
        for measure, at in zip(measures, cutoffs, strict=True):
            flat, true, known = self.flat(measure, labels, mask)
            counts.append(counts_at(flat, true, at))
        (first_shared, first_predicted), (shared, predicted) = counts
        sizes = [each.sum(1).expand_as(shared) for each in (true, known)]
        # Above both cutoffs are those above the one that fewer are above. The counts at one cutoff
        # of the first measure fit into the cache of a processor.
        parts = [
            self.of_counts(torch.minimum(s, shared), torch.minimum(p, predicted), *sizes)
            for s, p in zip(first_shared, first_predicted, strict=True)
        ]
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def numbers(self, sums: Sums) -> List[float]:
        return self.value(sums).tolist()  # of all cutoffs at once


@Metric.register("example-f1")
class ExampleF1(F1):
    """The mean over examples of F1 = 2 |Y ∩ Ŷ| / (|Y| + |Ŷ|), 1 where both are empty.

    >>> metric = ExampleF1()
    >>> probabilities = torch.tensor([[0.9, 0.8, 0.1]])
    >>> metric(probabilities, probabilities > 0.5, torch.tensor([[True, False, False]]))
    >>> round(metric.get_metric(reset=True), 4)
    0.6667
    """

    name = "example_f1"

    def of_counts(
        self,
        shared: torch.Tensor,
        predicted: torch.Tensor,
        true: torch.Tensor,
        known: torch.Tensor,
    ) -> Sums:
        is_judged = known > 0
        units = f1_units(shared, predicted + true) * is_judged
        return {"f1_units": units.sum(-1), "count": is_judged.sum(-1)}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(UNIT * sums["f1_units"].double(), sums["count"], empty=0.0)

    def pairwise(
        self, truths: torch.Tensor, outputs: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the value of each pair of sets, see the base class; those of an instance without
        known positions are 0."""
        truths, outputs = truths.flatten(2).double(), outputs.flatten(2).double()
        known = torch.ones_like(outputs[:, 0]) if mask is None else mask.flatten(1).double()
        outputs = outputs * known.unsqueeze(1)
        shared = truths @ outputs.transpose(1, 2)
        true = (truths @ known.unsqueeze(2)).expand_as(shared)
        values = ratio(2 * shared, true + outputs.sum(2).unsqueeze(1), empty=1.0)
        return values * known.any(1)[:, None, None]


@Metric.register("micro-f1")
class MicroF1(F1):
    """F1 over all decisions at once, 2 TP / (2 TP + FP + FN); 0 without any label."""

    name = "micro_f1"

    def of_counts(
        self,
        shared: torch.Tensor,
        predicted: torch.Tensor,
        true: torch.Tensor,
        known: torch.Tensor,
    ) -> Sums:
        return {"shared": shared.sum(-1), "mass": (predicted + true).sum(-1)}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["shared"], sums["mass"], empty=0.0)


@Metric.register("macro-f1")
class MacroF1(F1):
    """The mean over labels of F1; a label that is neither true nor predicted counts as 0, as in
    scikit-learn, and one that is known nowhere does not count."""

    name = "macro_f1"
    by_label = True

    def of_counts(
        self,
        shared: torch.Tensor,
        predicted: torch.Tensor,
        true: torch.Tensor,
        known: torch.Tensor,
    ) -> Sums:
        return {"shared": shared, "mass": predicted + true, "known": known}

    def value(self, sums: Sums) -> torch.Tensor:
        f1, known = ratio(2 * sums["shared"], sums["mass"], empty=0.0), sums["known"] > 0
        return ratio((f1 * known).sum(-1), known.sum(-1), empty=0.0)
