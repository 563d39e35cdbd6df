"""Weights of labels that are balanced by the training data."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..output_spaces import OutputSpace


class BalancedWeights(torch.nn.Module):
    """A weight for each label, computed from how often it is on in the training data.

    The model calls `fit` before the first step (`prepare`). The weights are saved with those of the
    model.

    # Parameters

    output_space : `OutputSpace`
    limit : `float`, optional
        The weights lie between 1 / limit and limit.

    # Raises

    `ConfigurationError` for a limit below 1.
    """

    def __init__(self, output_space: OutputSpace, limit: Optional[float] = None) -> None:
        super().__init__()
        if limit is not None and limit < 1:
            raise ConfigurationError(
                f"Expected a limit of at least 1 of balanced weights, got {limit}."
            )
        self.output_space = output_space
        self.limit = limit
        self.weights = torch.zeros(0)

    @property
    def is_fitted(self) -> bool:
        """Whether the weights were computed or loaded."""
        return self.weights.numel() > 0

    def fit(self, positives: torch.Tensor, total: torch.Tensor) -> None:
        """Compute the weights, given how often each label is on in the training data and at how
        many positions it is known, both `(num_labels,)`, or `()` for one weight of all."""
        weights = self.output_space.balanced_weights(positives, total)
        self.weights = weights if self.limit is None else weights.clamp(1 / self.limit, self.limit)

    def get_extra_state(self) -> torch.Tensor:
        """Return the weights, for a checkpoint."""
        return self.weights

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore the weights."""
        self.weights = state
