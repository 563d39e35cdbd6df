"""The cost-augmented network on top of the task network."""

import torch
from allennlp.common import FromParams, Lazy
from allennlp.modules import FeedForward


class CostAugmentedNetwork(torch.nn.Module, FromParams):
    """F(A(x), y*) = A(x) + W g([A(x); y*]): the stacked cost-augmented inference network of Tu et
    al. (2020, section 3), which sees the truth and is used in training only.

    W starts at zero, so that F starts as the inference network A.

    # Parameters

    feedforward : `Lazy[FeedForward]`
        g, without `input_dim`: it is twice the size of the last dimension of y.
    """

    def __init__(self, output_size: int, feedforward: Lazy[FeedForward]) -> None:
        super().__init__()
        self.feedforward = feedforward.construct(input_dim=2 * output_size)
        self.projection = torch.nn.Linear(self.feedforward.get_output_dim(), output_size)
        torch.nn.init.zeros_(self.projection.weight)
        torch.nn.init.zeros_(self.projection.bias)

    def forward(self, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the cost-augmented logits, shaped like `logits` `(batch, 1, *event_shape)`."""
        return logits + self.projection(self.feedforward(torch.cat([logits, truth], dim=-1)))
