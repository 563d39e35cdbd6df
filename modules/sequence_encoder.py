"""What the networks of sequences have in common: tokens to a vector for each, in their sentence."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask

from .masks import real_first, reordered


class SequenceEncoder(torch.nn.Module):
    """h_1 … h_T, `(batch, num_tokens, output_size)`, of the tensors of a text field.

    # Parameters

    embedder : `TextFieldEmbedder`
    encoder : `Seq2SeqEncoder`, optional
    dropout : `float`
        Before and after the encoder.

    # Raises

    `ConfigurationError` where the encoder does not take what the embedder gives.
    """

    def __init__(
        self, embedder: TextFieldEmbedder, encoder: Optional[Seq2SeqEncoder], dropout: float
    ) -> None:
        super().__init__()
        size = embedder.get_output_dim()
        if encoder is not None and encoder.get_input_dim() != size:
            raise ConfigurationError(
                f"Expected an encoder that takes the {size} dimensions that the embedder gives, "
                f"got one that takes {encoder.get_input_dim()}; set its input size to {size}."
            )
        self.embedder = embedder
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.output_size = size if encoder is None else encoder.get_output_dim()

    def forward(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the encodings; without a mask, x says what is padding. The encoder does not see a
        masked token, wherever it stands."""
        embedded = self.dropout(self.embedder(x))
        if self.encoder is None:
            return embedded
        if mask is None:
            mask = get_text_field_mask(x)
        order = real_first(mask)
        if order is None:
            return self.dropout(self.encoder(embedded, mask))
        encoded = self.encoder(reordered(embedded, order), reordered(mask, order))
        return self.dropout(reordered(encoded, order.argsort(1)))
