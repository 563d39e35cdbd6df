"""Metrics of sets of labels in a taxonomy."""

from typing import List, Literal, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..output_spaces.hierarchy import Hierarchy
from ..taxonomy import taxonomy_of_labels
from ..vocabulary import names
from .average_precision import OverallAveragePrecision, average_precision
from .f1 import counts_at
from .set_metric import SetMetric
from .structured_metric import Value
from .sums import Sums, ratio


class _HierarchyMetric(SetMetric):
    """The base of metrics that know the taxonomy of the labels.

    # Parameters

    taxonomy : `str`, optional
        A file with the taxonomy; by default it is that of the data.
    """

    def __init__(self, vocab: Vocabulary, taxonomy: Optional[str] = None) -> None:
        super().__init__()
        self.taxonomy = taxonomy_of_labels(vocab, taxonomy)
        self._hierarchy = Hierarchy(self.taxonomy)

    def hierarchy(self, like: torch.Tensor) -> Hierarchy:
        """Return the edges on the device of `like`."""
        if like.shape[-1] != len(self.taxonomy):
            raise ValueError(
                f"Expected {len(self.taxonomy)} labels for each instance in the metric "
                f"'{self.name}', as in the taxonomy, got {like.shape[-1]}."
            )
        return self._hierarchy.on(like.device)


@Metric.register("hierarchical-f1")
class HierarchicalF1(_HierarchyMetric):
    """2 hP hR / (hP + hR), with the hierarchical precision hP = Σ |Y ∩ Ŷ| / Σ |Ŷ| and the recall
    hR = Σ |Y ∩ Ŷ| / Σ |Y| of the labels with all their ancestors, over all instances (Kiritchenko,
    Matwin, Nock & Famili 2006); also under `.precision` and `.recall`.

    For closed sets it is `micro-f1`.
    """

    name = "hierarchical_f1"

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        hierarchy = self.hierarchy(labels)
        predictions, labels = (hierarchy.any_below(each) & mask for each in (predictions, labels))
        return {
            "shared": (predictions & labels).sum(),
            "predicted": predictions.sum(),
            "true": labels.sum(),
        }

    def sums_at(
        self,
        probabilities: torch.Tensor,
        measure: torch.Tensor,
        labels: torch.Tensor,
        cutoffs: Sequence[float],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        return self._of_counts(*self._closed_counts_at(measure, labels, cutoffs, mask))

    def sums_at_both(
        self,
        probabilities: torch.Tensor,
        measures: Tuple[torch.Tensor, torch.Tensor],
        labels: torch.Tensor,
        cutoffs: Tuple[Sequence[float], Sequence[float]],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        (s, p, true), (shared, predicted, _) = (
            self._closed_counts_at(measure, labels, at, mask)
            for measure, at in zip(measures, cutoffs, strict=True)
        )
        # Above both cutoffs are those above the one that fewer are above.
        shared = torch.minimum(s.unsqueeze(1), shared).flatten(0, 1)
        return self._of_counts(shared, torch.minimum(p.unsqueeze(1), predicted).flatten(0, 1), true)

    def _closed_counts_at(
        self,
        measure: torch.Tensor,
        labels: torch.Tensor,
        cutoffs: Sequence[float],
        mask: Optional[torch.Tensor],
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return |Y ∩ Ŷ| and |Ŷ| of each row at each cutoff, `(num_cutoffs, rows)`, and the sum of
        |Y|, of closed sets: a term is on where the highest measure below it exceeds the cutoff."""
        measure, labels, known = self.flat(measure, labels, mask)
        hierarchy = self.hierarchy(labels)
        highest = hierarchy.highest_below(measure).masked_fill(~known, -torch.inf)
        labels = hierarchy.any_below(labels) & known
        return (*counts_at(highest, labels, cutoffs), labels.sum())

    @staticmethod
    def _of_counts(shared: torch.Tensor, predicted: torch.Tensor, true: torch.Tensor) -> Sums:
        total = {"shared": shared.sum(-1), "predicted": predicted.sum(-1)}
        return {**total, "true": true.expand(len(shared))}

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["shared"], sums["predicted"] + sums["true"], empty=1.0)

    def values(self, sums: Sums) -> Value:
        return {
            "": self.number(sums),
            ".precision": float(ratio(sums["shared"], sums["predicted"], empty=1.0)),
            ".recall": float(ratio(sums["shared"], sums["true"], empty=1.0)),
        }


@Metric.register("violations")
class Violations(_HierarchyMetric):
    """The share of instances whose output has a label without one of its parents; under `.labels`
    the mean number of such labels."""

    name = "violations"
    higher_is_better = False

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        count = self.hierarchy(labels).violations(predictions, mask)
        return {
            "labels": count.sum(),
            "instances": (count > 0).sum(),
            "count": mask.any(1).sum(),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["instances"], sums["count"], empty=0.0)

    def values(self, sums: Sums) -> Value:
        per_instance = float(ratio(sums["labels"], sums["count"], empty=0.0))
        return {"": self.number(sums), ".labels": per_instance}


@Metric.register("level-f1")
class LevelF1(_HierarchyMetric):
    """The micro F1 of the labels of each level of the taxonomy (`level_f1.1` are the roots), and
    the mean over levels; a level that has no label in truth and outputs has no part in it."""

    name = "level_f1"

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        levels = self.hierarchy(labels).levels
        parts = {"shared": predictions & labels, "predicted": predictions, "true": labels}
        return {
            key: torch.stack([part[:, level.terms].sum() for level in levels])
            for key, part in parts.items()
        }

    def value(self, sums: Sums) -> torch.Tensor:
        total = sums["predicted"] + sums["true"]
        f1 = ratio(2 * sums["shared"], total, empty=0.0)
        return ratio(f1.sum(-1), (total > 0).sum(-1), empty=0.0)

    def values(self, sums: Sums) -> Value:
        f1 = ratio(2 * sums["shared"], sums["predicted"] + sums["true"], empty=0.0)
        levels = {f".{place}": value for place, value in enumerate(f1.tolist(), 1)}
        return {"": self.number(sums), **levels}


def trapezoids(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the area under the precision-recall curve by linear interpolation, as scikit-learn's
    `auc(recall, precision)`, of scores and labels `(count,)`; 0 without a true label.

    >>> trapezoids(torch.tensor([0.9, 0.5, 0.4]), torch.tensor([True, False, True]))
    tensor(0.7917, dtype=torch.float64)
    """
    scores, order = scores.sort(descending=True)
    hits = labels[order].double().cumsum(0)
    if not len(hits) or not hits[-1]:
        return torch.zeros((), dtype=torch.float64)
    last = torch.cat([scores[1:] != scores[:-1], torch.ones_like(labels[:1])])  # of equal scores
    counts = torch.arange(1, len(scores) + 1, device=scores.device)[last]
    precision, recall = hits[last] / counts, hits[last] / hits[-1]
    precision = torch.cat([precision.new_ones(1), precision])
    recall = torch.cat([recall.new_zeros(1), recall])
    return torch.trapezoid(precision, recall)


@Metric.register("au-prc")
class AreaUnderPrecisionRecall(OverallAveragePrecision):
    """AU(PRC), the area under the precision-recall curve of all decisions at once, as hierarchical
    classifiers report it (Vens et al. 2008); 0 without a true label. The outputs play no part.

    By default it is scikit-learn's `average_precision_score(average="micro")`, as in the code of
    Giunchiglia & Lukasiewicz (2020), and so `map-micro` without the excluded terms.

    # Parameters

    excluded : `List[str]`
        Terms that do not count, such as the roots of the three parts of Gene Ontology. The common
        root of a taxonomy is no label, and never counts.
    interpolation : `"steps"` or `"trapezoids"`
        Whether precision is constant or linear between two points of the curve.

    # Raises

    `ConfigurationError` for an excluded term that is no label.
    """

    name = "au_prc"

    def __init__(
        self,
        vocab: Vocabulary,
        excluded: Optional[List[str]] = None,
        interpolation: Literal["steps", "trapezoids"] = "steps",
    ) -> None:
        super().__init__()
        if interpolation not in ("steps", "trapezoids"):
            raise ConfigurationError(
                "Expected the interpolation 'steps' or 'trapezoids' in the metric 'au-prc', got "
                f"'{interpolation}'."
            )
        labels = names(vocab, "labels")
        unknown = sorted(set(excluded or []) - set(labels))
        if unknown:
            raise ConfigurationError(
                f"Expected 'excluded' of the metric 'au-prc' among the labels {labels[:5]} and so "
                f"on, got '{unknown[0]}'."
            )
        self.interpolation = interpolation
        self.counted = [i for i, label in enumerate(labels) if label not in (excluded or [])]
        self.excludes = bool(excluded)

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        if self.excludes:
            probabilities, labels = probabilities[:, self.counted], labels[:, self.counted]
        return super().sums(probabilities, predictions, labels, mask)

    def of_all(self, probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self.interpolation == "trapezoids":
            known = probabilities > -torch.inf
            return trapezoids(probabilities[known], labels[known])
        rows = probabilities.reshape(1, -1), labels.reshape(1, -1)
        return average_precision(*rows).nan_to_num()[0]
