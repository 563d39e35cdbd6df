"""The encoder of feature vectors."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward

from ..feature_scaling import FeatureScaling
from ..vocabulary import names
from .dropout import with_fast_dropout
from .encoder import Encoder
from .sparse_layer import SparseLinear


@Encoder.register("feedforward")
class FeedForwardEncoder(Encoder):
    """h = f(x), with feature vectors x `(batch, num_features)` and a feed-forward network f.

    x is scaled first, by the statistics of the training data (see `standardize` of the model).

    With an `encoder`, f continues it instead: h = f(encoder(x)), for each of its positions.

    # Parameters

    feedforward : `Lazy[FeedForward]`
        f, without `input_dim`, which follows from the data (vocabulary namespace `features`) or
        from `encoder`.
    encoder : `Encoder`, optional
        An encoder whose vectors f takes, for example `task-network`.

    # Raises

    `ConfigurationError` without an `encoder`, where the data have no features. `ValueError` where x
    is not feature vectors.
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
        self.input_size = len(names(vocab, "features")) if encoder is None else encoder.output_size
        if not self.input_size:
            raise ConfigurationError(
                "Expected data with feature vectors for the encoder 'feedforward', got a "
                "vocabulary without the namespace 'features'; choose the encoder of these data, or "
                "give it an 'encoder' to continue."
            )
        self.scaling = FeatureScaling(self.input_size) if encoder is None else None
        self.position_dims = 0 if encoder is None else encoder.position_dims
        self.feedforward = feedforward.construct(input_dim=self.input_size)
        with_fast_dropout(self.feedforward)
        if encoder is None:
            layers = self.feedforward._linear_layers
            layers[0] = SparseLinear.of(layers[0])
        self.output_size = self.feedforward.get_output_dim()

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if self.encoder is not None:
            return self.feedforward(self.encoder(x, mask))
        if not isinstance(x, torch.Tensor) or x.shape[1:] != (self.input_size,):
            found = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(
                f"Expected feature vectors (batch, {self.input_size}) for the encoder "
                f"'feedforward', got {found}; choose the encoder of these data."
            )
        assert self.scaling is not None
        return self.feedforward(self.scaling(x))
