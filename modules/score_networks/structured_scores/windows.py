"""Terms over windows of tags: any order, by Kronecker products, and by convolution."""

from typing import Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward
from torch.nn.functional import softplus

from .chains import real_tokens
from .structured_score import StructuredScore

MOST_CONTEXTS = 1_000_000


@StructuredScore.register("high-order")
class HighOrderScore(StructuredScore):
    """s(y) = Σ_{t > M} y_tᵀ P g(vec(y_{t−M} ⊗ … ⊗ y_{t−1})): the previous M tags predict
    the next one from their vectorised Kronecker product (after Tu et al. 2020, section 3).

    A sentence of at most M tokens has the score 0; add a `linear-chain` to score the first tokens.

    # Parameters

    feedforward : `Lazy[FeedForward]`
        g, without `input_dim`, which is num_labels^M.
    order : `int`
        M.
    """

    def __init__(self, num_labels: int, feedforward: Lazy[FeedForward], order: int = 2) -> None:
        super().__init__()
        if order < 1 or num_labels**order > MOST_CONTEXTS:
            raise ConfigurationError(
                f"Expected an order of at least 1, and at most {MOST_CONTEXTS:,} contexts, of the "
                f"structured score 'high-order', got order {order} with {num_labels} labels; take "
                "a lower order, or 'convolutional'."
            )
        self.order = order
        self.feedforward = feedforward.construct(input_dim=num_labels**order)
        self.projection = torch.nn.Linear(self.feedforward.get_output_dim(), num_labels, bias=False)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, _ = real_tokens(y, mask)
        count = y.shape[2] - self.order
        if count <= 0:
            return y.new_zeros(y.shape[:2])
        context = y[:, :, :count]
        for before in range(1, self.order):
            after = y[:, :, before : before + count]
            context = (context.unsqueeze(-1) * after.unsqueeze(-2)).flatten(-2)
        expected = self.projection(self.feedforward(context))
        return (expected * y[:, :, self.order :]).sum((2, 3))


@StructuredScore.register("convolutional")
class ConvolutionalScore(StructuredScore):
    """s(y) = Σ_t vᵀ softplus(C [y_{t−w}; …; y_{t+w}] + b), with zeros beyond the sentence: learned
    patterns of neighbouring tags (after Tu et al. 2020, section 3).

    # Parameters

    width : `int`
        The number of tokens of a window, 2w + 1.
    num_filters : `int`
        The number of patterns, the rows of C.
    """

    def __init__(self, num_labels: int, width: int = 5, num_filters: int = 50) -> None:
        super().__init__()
        if width < 1 or width % 2 == 0 or num_filters < 1:
            raise ConfigurationError(
                "Expected an odd width and at least 1 filter of the structured score "
                f"'convolutional', got {width} and {num_filters}."
            )
        self.filters = torch.nn.Conv1d(num_labels, num_filters, width, padding=width // 2)
        self.projection = torch.nn.Linear(num_filters, 1, bias=False)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, mask = real_tokens(y, mask)
        rows = y.flatten(0, 1).transpose(1, 2)
        patterns = softplus(self.filters(rows)).transpose(1, 2)
        values = self.projection(patterns).view(y.shape[:3])
        return values.sum(2) if mask is None else (values * mask.unsqueeze(1)).sum(2)
