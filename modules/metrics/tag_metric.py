"""The bases of metrics of categorical outputs."""

from abc import abstractmethod
from typing import List, Optional, Sequence, Tuple

import torch

from .structured_metric import StructuredMetric, Value
from .sums import Sums, ratio


class TagMetric(StructuredMetric):
    """The base of metrics of categorical outputs: the tags of real tokens."""

    encoding_shape = (1,)
    kinds: Tuple[str, ...] = ("tags",)

    @abstractmethod
    def sums(self, predictions: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor) -> Sums:
        """Return the sums of a batch, of tags and a mask `(batch, num_tokens)`."""

    def batch_sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> Sums:
        if probabilities.shape[:-1] != labels.shape or predictions.shape != labels.shape:
            raise ValueError(
                f"Expected probabilities (batch, num_tokens, num_tags), and a predicted and a true "
                f"tag for each token, in the metric '{self.name}', got "
                f"{tuple(probabilities.shape)}, {tuple(predictions.shape)} and "
                f"{tuple(labels.shape)}."
            )
        if mask is None:
            mask = torch.ones_like(labels, dtype=torch.bool)
        return self.sums(predictions, labels, mask)


def precision(counts: Sums) -> torch.Tensor:
    """Return TP / (TP + FP), 0 where nothing is predicted."""
    return ratio(counts["right"], counts["predicted"], empty=0.0)


def recall(counts: Sums) -> torch.Tensor:
    """Return TP / (TP + FN), 0 where nothing is true."""
    return ratio(counts["right"], counts["true"], empty=0.0)


def f1(counts: Sums) -> torch.Tensor:
    """Return 2 TP / (2 TP + FP + FN), 0 where nothing is true or predicted."""
    return ratio(2 * counts["right"], counts["predicted"] + counts["true"], empty=0.0)


class TypedMetric(TagMetric):
    """The base of precision, recall and F1 over what tags say, spans or roles, each of a type:
    micro-averaged over all of them, and for each type under its name (`span_f1.NP`).

    `sums` returns `right` = TP, `predicted` = TP + FP and `true` = TP + FN, `(num_types,)`.

    # Parameters

    types : `List[str]`
    without : `Sequence[str]`
        The types that do not count.
    by_type : `bool`
        Whether to report each type that occurs.
    """

    def __init__(self, types: List[str], without: Sequence[str], by_type: bool) -> None:
        super().__init__()
        self.types = types
        self.counted = [i for i, name in enumerate(types) if name not in without]
        self.by_type = by_type

    @staticmethod
    @abstractmethod
    def measure(counts: Sums) -> torch.Tensor:
        """Return the value for counts."""

    def value(self, sums: Sums) -> torch.Tensor:
        return self.measure({key: each[self.counted].sum() for key, each in sums.items()})

    def values(self, sums: Sums) -> Value:
        values = {"": self.number(sums)}
        for i in self.counted if self.by_type else []:
            counts = {key: each[i] for key, each in sums.items()}
            if counts["true"] + counts["predicted"] > 0:
                values[f".{self.types[i]}"] = float(self.measure(counts))
        return values
