"""The base of metrics of binary outputs."""

from abc import abstractmethod
from typing import Optional, Sequence, Tuple

import torch

from .structured_metric import StructuredMetric
from .sums import Sums


class SetMetric(StructuredMetric):
    """The base of metrics of binary outputs.

    A position outside the mask counts nowhere, and an instance without any position in it is no
    example.
    """

    kinds = ("sets",)

    @abstractmethod
    def sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: torch.Tensor,
    ) -> Sums:
        """Return the sums of a batch of tensors `(batch, positions)`, bool but for the
        probabilities. Where the mask is false, these are −∞, predictions and labels false."""

    def batch_sums(
        self,
        probabilities: torch.Tensor,
        predictions: torch.Tensor,
        labels: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> Sums:
        if predictions.shape != labels.shape:
            raise ValueError(
                f"Expected predictions and labels of one shape in the metric '{self.name}', got "
                f"{tuple(predictions.shape)} and {tuple(labels.shape)}."
            )
        probabilities, labels, real = self.flat(probabilities, labels, mask)
        return self.sums(probabilities, predictions.flatten(1).bool() & real, labels, real)

    def flat(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return probabilities, labels and mask `(batch, positions)`, as `sums` takes them."""
        if probabilities.shape != labels.shape or (mask is not None and mask.shape != labels.shape):
            masked = "" if mask is None else f" with a mask {tuple(mask.shape)}"
            raise ValueError(
                f"Expected probabilities, labels and mask of one shape in the metric "
                f"'{self.name}', got {tuple(probabilities.shape)} and {tuple(labels.shape)}"
                f"{masked}."
            )
        probabilities, labels = probabilities.flatten(1), labels.flatten(1).bool()
        if mask is None:
            return probabilities, labels, torch.ones_like(labels)
        real = mask.flatten(1)
        return probabilities.masked_fill(~real, -torch.inf), labels & real, real

    def sums_at(
        self,
        probabilities: torch.Tensor,
        measure: torch.Tensor,
        labels: torch.Tensor,
        cutoffs: Sequence[float],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        """Return the sums of a batch where the positions are on whose measure, shaped like the
        probabilities, exceeds each of the rising cutoffs, `(num_cutoffs, ...)`."""
        each = [self.batch_sums(probabilities, measure > at, labels, mask) for at in cutoffs]
        return {key: torch.stack([sums[key] for sums in each]) for key in each[0]}

    def sums_at_both(
        self,
        probabilities: torch.Tensor,
        measures: Tuple[torch.Tensor, torch.Tensor],
        labels: torch.Tensor,
        cutoffs: Tuple[Sequence[float], Sequence[float]],
        mask: Optional[torch.Tensor] = None,
    ) -> Sums:
        """Return the sums of a batch where the positions are on whose two measures exceed each pair
        of the rising cutoffs, `(num_pairs, ...)`, the second cutoff varies fastest. Both measures
        order the positions of an instance alike."""
        first, second = measures
        each = [
            self.sums_at(
                probabilities, second.masked_fill(first <= at, -torch.inf), labels, cutoffs[1], mask
            )
            for at in cutoffs[0]
        ]
        return {key: torch.cat([sums[key] for sums in each]) for key in each[0]}
