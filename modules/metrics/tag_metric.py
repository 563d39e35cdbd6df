"""The base of metrics of categorical outputs."""

from abc import abstractmethod
from typing import Optional

import torch

from .structured_metric import StructuredMetric
from .sums import Sums


class TagMetric(StructuredMetric):
    """The base of metrics of categorical outputs: the tags of real tokens."""

    encoding_shape = (1,)

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
