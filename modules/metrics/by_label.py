"""Precision, recall and F1 of each label, under its name."""

from abc import abstractmethod
from typing import List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric

from ..vocabulary import names
from .set_metric import SetMetric
from .structured_metric import Value
from .sums import Sums, ratio


class LabelMetric(SetMetric):
    """The base of metrics that report a value for each label by its name in the vocabulary
    (`label_f1.beach`), and under their own name the mean over all labels.

    Labels that are known nowhere have no value and no part in the mean.

    # Parameters

    labels : `List[str]`, optional
        The labels to report; by default all of them. The mean is always over all labels.

    # Raises

    `ConfigurationError` for a name that is no label. `ValueError` for a batch with more or fewer
    labels than the vocabulary.
    """

    cheap = False

    def __init__(self, vocab: Vocabulary, labels: Optional[List[str]] = None) -> None:
        super().__init__()
        self.labels = names(vocab, "labels")
        unknown = sorted(set(labels or []) - set(self.labels))
        if unknown:
            raise ConfigurationError(
                f"Expected 'labels' of the metric '{self.name}' among {self.labels[:20]}, got "
                f"'{unknown[0]}'."
            )
        self.reported = [i for i, label in enumerate(self.labels) if not labels or label in labels]

    @abstractmethod
    def of_counts(self, sums: Sums) -> torch.Tensor:
        """Return the value of each label, `(num_labels,)`, by `shared` = TP, `predicted` = TP + FP
        and `true` = TP + FN."""

    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        if labels.shape[1] != len(self.labels):
            raise ValueError(
                f"Expected {len(self.labels)} labels for each instance in the metric "
                f"'{self.name}', as in the vocabulary, got {labels.shape[1]}."
            )
        return {
            "shared": (predictions & labels).sum(0),
            "predicted": predictions.sum(0),
            "true": labels.sum(0),
            "known": mask.sum(0),
        }

    def value(self, sums: Sums) -> torch.Tensor:
        known = sums["known"] > 0
        return ratio((self.of_counts(sums) * known).sum(-1), known.sum(-1), empty=0.0)

    def values(self, sums: Sums) -> Value:
        by_label, known = self.of_counts(sums).tolist(), sums["known"].tolist()
        values = {"": self.number(sums)}
        values.update({f".{self.labels[i]}": by_label[i] for i in self.reported if known[i]})
        return values


@Metric.register("label-precision")
class LabelPrecision(LabelMetric):
    """TP / (TP + FP) of each label; 0 for a label that is never predicted, as in scikit-learn."""

    name = "label_precision"

    def of_counts(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["shared"], sums["predicted"], empty=0.0)


@Metric.register("label-recall")
class LabelRecall(LabelMetric):
    """TP / (TP + FN) of each label; 0 for a label that is never true, as in scikit-learn."""

    name = "label_recall"

    def of_counts(self, sums: Sums) -> torch.Tensor:
        return ratio(sums["shared"], sums["true"], empty=0.0)


@Metric.register("label-f1")
class LabelF1(LabelMetric):
    """2 TP / (2 TP + FP + FN) of each label; 0 for a label that is neither true nor predicted, as
    in scikit-learn. The mean is that of `macro-f1`.

    >>> vocab = Vocabulary(non_padded_namespaces=["labels"])
    >>> places = [vocab.add_token_to_namespace(name, "labels") for name in ("beach", "sunset")]
    >>> metric = LabelF1(vocab)
    >>> probabilities = torch.tensor([[0.9, 0.8], [0.7, 0.1]])
    >>> metric(probabilities, probabilities > 0.5, torch.tensor([[1, 0], [1, 0]]) > 0)
    >>> metric.get_metric()
    {'': 0.5, '.beach': 1.0, '.sunset': 0.0}
    """

    name = "label_f1"

    def of_counts(self, sums: Sums) -> torch.Tensor:
        return ratio(2 * sums["shared"], sums["predicted"] + sums["true"], empty=0.0)
