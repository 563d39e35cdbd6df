"""Terms over pairs of tags: the linear chain, and skip chains."""

from typing import Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from ...masks import real_first, reordered
from .structured_score import StructuredScore


def real_tokens(
    y: torch.Tensor, mask: Optional[torch.Tensor]
) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
    """Return y with its real tokens first, in their order, and zeros after them, and the mask that
    marks them. A masked token is not part of the sentence, at any place.

    # Raises

    `ValueError` for outputs that are not sequences of tags.
    """
    if y.dim() != 4 or (mask is not None and mask.dim() != 2):
        raise ValueError(
            "Expected sequences of tags, y (batch, num_samples, num_tokens, num_tags), for this "
            f"structured score, got y {tuple(y.shape)}; choose one for this output space."
        )
    if mask is None:
        return y, None
    order = real_first(mask)
    if order is not None:
        y, mask = reordered(y, order, dim=2), reordered(mask, order)
    return y.masked_fill(~mask.unsqueeze(1).unsqueeze(-1), 0.0), mask


def pairs(y: torch.Tensor, transitions: torch.Tensor, distance: int) -> torch.Tensor:
    """Return Σ_t y_{t−d}ᵀ W y_t, `(batch, num_samples)`; W is `(num_labels, num_labels)`."""
    return ((y[:, :, :-distance] @ transitions) * y[:, :, distance:]).sum((2, 3))


@StructuredScore.register("linear-chain")
class LinearChainScore(StructuredScore):
    """s(y) = aᵀ y_1 + Σ_{t ≥ 2} y_{t−1}ᵀ W y_t + bᵀ y_T: the transitions of a conditional random
    field (Lafferty et al. 2001; as an energy, Tu & Gimpel 2018, equation 7).

    W_ij is the score of tag j after tag i.
    """

    def __init__(self, num_labels: int) -> None:
        super().__init__()
        self.transitions = torch.nn.Parameter(torch.empty(num_labels, num_labels))
        self.start = torch.nn.Parameter(torch.empty(num_labels))
        self.end = torch.nn.Parameter(torch.empty(num_labels))
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.1)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, mask = real_tokens(y, mask)
        score = pairs(y, self.transitions, 1) + y[:, :, 0] @ self.start
        if mask is None:
            return score + y[:, :, -1] @ self.end
        following = torch.nn.functional.pad(mask[:, 1:], (0, 1))
        is_last = (mask & ~following)[:, None, :, None]
        return score + (y * is_last).sum(2) @ self.end


@StructuredScore.register("skip-chain")
class SkipChainScore(StructuredScore):
    """s(y) = Σ_{m = 1 … M} Σ_{t > m} y_{t−m}ᵀ W_m y_t: pairs of tags up to M apart (Sutton &
    McCallum 2004; Tu et al. 2020, section 3).

    # Parameters

    order : `int`
        M.
    """

    def __init__(self, num_labels: int, order: int = 2) -> None:
        super().__init__()
        if order < 1:
            raise ConfigurationError(
                f"Expected an order of at least 1 of 'skip-chain', got {order}."
            )
        self.transitions = torch.nn.Parameter(torch.empty(order, num_labels, num_labels))
        torch.nn.init.normal_(self.transitions, std=0.1)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, _ = real_tokens(y, mask)
        score = y.new_zeros(y.shape[:2])
        for distance, transitions in enumerate(self.transitions, 1):
            if distance < y.shape[2]:
                score = score + pairs(y, transitions, distance)
        return score
