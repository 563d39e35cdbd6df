"""A feed-forward term over the labels."""

from typing import Optional

import torch
from allennlp.common import Lazy
from allennlp.modules import FeedForward

from ...gradients import GradientAdder, ValueAndGradient
from .closed_forms import layers_adder
from .structured_score import StructuredScore, label_rows


@StructuredScore.register("feedforward")
class FeedForwardStructuredScore(StructuredScore):
    """s(y) = cᵀ g(y): the global term of SPEN (Belanger & McCallum 2016, equation 4), up to sign.

    With one softplus layer, g(y) = softplus(C y + b), every row of C is a learned pattern of labels
    that occur, or exclude each other, together.

    # Parameters

    feedforward : `Lazy[FeedForward]`
        g, without `input_dim`, which is the number of labels.

    # Raises

    `ValueError` for outputs that are not one row of labels.
    """

    sums_positions = False

    def __init__(self, num_labels: int, feedforward: Lazy[FeedForward]) -> None:
        super().__init__()
        self.feedforward = feedforward.construct(input_dim=num_labels)
        self.projection = torch.nn.Linear(self.feedforward.get_output_dim(), 1, bias=False)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        # Layers are faster on rows than on samples of instances.
        rows = label_rows(self, y, mask).flatten(0, 1)
        return self.projection(self.feedforward(rows)).view(y.shape[:2])

    def gradient_adder(
        self,
        mask: Optional[torch.Tensor],
        h: Optional[torch.Tensor],
        scale: float = 1.0,
    ) -> GradientAdder:
        add_rows = layers_adder(self.feedforward, scale * self.projection.weight.detach()[0])
        if add_rows is None or mask is not None:
            return self.by_autograd(mask, h, scale)

        def add(y: torch.Tensor, values: torch.Tensor, gradient: torch.Tensor) -> ValueAndGradient:
            rows = label_rows(self, y, None).flatten(0, 1)
            gradients = gradient.expand(y.shape).flatten(0, 1)
            values, gradients = add_rows(rows, values.flatten(), gradients)
            return values.view(y.shape[:2]), gradients.view(y.shape)

        return add
