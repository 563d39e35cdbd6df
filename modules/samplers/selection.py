"""Selection among samples."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..score_networks import ScoreNetwork


def choose(chosen: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return `first` where `chosen` `(batch, num_samples)` is true, and `second` elsewhere."""
    return torch.where(chosen.view(*chosen.shape, *[1] * (second.dim() - 2)), first, second)


def best_sample(y: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return the sample of the highest score for each instance, `(batch, 1, *event_shape)`.

    # Parameters

    y : the samples, `(batch, num_samples, *event_shape)`.
    scores : their scores, `(batch, num_samples)`.
    """
    instances = torch.arange(len(y), device=y.device)
    return y[instances, scores.argmax(dim=1)].unsqueeze(1)


def scores_of(
    y: torch.Tensor,
    x: Any,
    score_network: Optional[ScoreNetwork],
    mask: Optional[torch.Tensor],
) -> torch.Tensor:
    """Return the scores of several samples, `(batch, num_samples)`, to choose one prediction.

    # Raises

    `ConfigurationError` without a score network.
    """
    if score_network is None:
        raise ConfigurationError(
            f"Expected one prediction for each instance, got {y.shape[1]} samples and no "
            "score_network to choose among them."
        )
    return score_network(x, y, mask)
