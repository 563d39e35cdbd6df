"""The cost-augmented network on top of the task network."""

from typing import Optional

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward, Seq2SeqEncoder

from ..masks import real_first, reordered
from ..output_spaces import OutputSpace


class CostAugmentedNetwork(torch.nn.Module, FromParams):
    """F(A(x), y*) = A(x) + W g([A(x); y*]): the stacked cost-augmented inference network of Tu et
    al. (2020, section 3), which sees the truth and is used in training only.

    With a sequence encoder e it is A(x) + W g(e([ŷ; y*])), with ŷ the output of A, so that the
    network at a token sees the whole sentence, as theirs for tags. W starts at zero, so that F
    starts as the inference network A.

    # Parameters

    feedforward : `Lazy[FeedForward]`, optional
        g, without `input_dim`: it is twice the size of the last dimension of y, or the output size
        of the encoder. Without it, g is the identity.
    encoder : `Lazy[Seq2SeqEncoder]`, optional
        e, such as `lstm` or `gru`, without `input_size`, for sequences of tags: it is twice the
        number of tags.

    # Raises

    `ConfigurationError` without both, and for an encoder of outputs that are no sequences of tags.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        output_size: int,
        feedforward: Optional[Lazy[FeedForward]] = None,
        encoder: Optional[Lazy[Seq2SeqEncoder]] = None,
    ) -> None:
        super().__init__()
        if feedforward is None and encoder is None:
            raise ConfigurationError(
                "Expected a 'feedforward' or an 'encoder' in the cost-augmented network, got "
                "neither."
            )
        if encoder is not None and output_space.is_binary:
            raise ConfigurationError(
                "Expected the output space 'categorical' for the 'encoder' of the cost-augmented "
                f"network, got {type(output_space).__name__}; use 'feedforward'."
            )
        self.output_space = output_space
        size = 2 * output_size
        self.encoder = None if encoder is None else encoder.construct(input_size=size)
        if self.encoder is not None:
            size = self.encoder.get_output_dim()
        self.feedforward = None if feedforward is None else feedforward.construct(input_dim=size)
        if self.feedforward is not None:
            size = self.feedforward.get_output_dim()
        self.projection = torch.nn.Linear(size, output_size)
        torch.nn.init.zeros_(self.projection.weight)
        torch.nn.init.zeros_(self.projection.bias)

    def forward(
        self, logits: torch.Tensor, truth: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the cost-augmented logits, shaped like `logits` `(batch, 1, *event_shape)`."""
        if self.encoder is None:
            h = torch.cat([logits, truth], dim=-1)
        else:
            y = torch.cat([self.output_space.normalize(logits), truth], dim=-1)[:, 0]
            h = self._encode(y, mask).unsqueeze(1)
        if self.feedforward is not None:
            h = self.feedforward(h)
        return logits + self.projection(h)

    def _encode(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the encoding of [ŷ; y*] `(batch, num_tokens, size)`; no masked token is seen."""
        assert self.encoder is not None
        if mask is None:
            mask = torch.ones(y.shape[:2], dtype=torch.bool, device=y.device)
        order = real_first(mask)
        if order is None:
            return self.encoder(y, mask)
        h = self.encoder(reordered(y, order), reordered(mask, order))
        return reordered(h, order.argsort(1))
