"""The encoder of feature vectors."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward

from ..vocabulary import names
from .encoder import Encoder


@Encoder.register("feedforward")
class FeedForwardEncoder(Encoder):
    """h = f(x), with feature vectors x `(batch, num_features)` and a feed-forward network f.

    With an `encoder`, f continues it instead: h = f(encoder(x)), for each of its positions.

    # Parameters

    feedforward : `Lazy[FeedForward]`
        f, without `input_dim`, which follows from the data (vocabulary namespace `features`) or
        from `encoder`.
    encoder : `Encoder`, optional
        An encoder whose vectors f takes, for example `task-network`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        feedforward: Lazy[FeedForward],
        encoder: Optional[Encoder] = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.takes_encoded = encoder is not None and encoder.takes_encoded
        size = len(names(vocab, "features")) if encoder is None else encoder.output_size
        self.position_dims = 0 if encoder is None else encoder.position_dims
        self.feedforward = feedforward.construct(input_dim=size)
        self.output_size = self.feedforward.get_output_dim()

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.feedforward(x if self.encoder is None else self.encoder(x, mask))
