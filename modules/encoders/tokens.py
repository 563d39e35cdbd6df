"""The encoder of tokens in their sentence."""

from typing import Any, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, Seq2VecEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask

from ..encoded import Encoded
from ..masks import real_first, reordered
from .encoder import Encoder


@Encoder.register("tokens")
class TokenEncoder(Encoder):
    """h_1 … h_T `(batch, num_tokens, output_size)` of the tensors of a text field.

    # Parameters

    embedder : `TextFieldEmbedder`
        Embeds each token.
    encoder : `Seq2SeqEncoder`, optional
        Without it, h_t is the embedding of token t.
    dropout : `float`
        The dropout of the embeddings and of the output of `encoder`.

    # Raises

    `ConfigurationError` where the input size of `encoder` is not the output size of `embedder`.
    """

    position_dims = 1

    def __init__(
        self,
        embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_input_size("encoder", encoder, embedder.get_output_dim())
        self.embedder = embedder
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.output_size = (embedder if encoder is None else encoder).get_output_dim()

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if not isinstance(x, dict):
            raise ValueError(
                f"Expected the tensors of a text field for {type(self).__name__}, got "
                f"{type(x).__name__}; choose the encoder of these data."
            )
        embedded = self.dropout(self.embedder(x))
        if self.encoder is None:
            return embedded
        if mask is None:
            mask = get_text_field_mask(x)
        return self.dropout(over_real(self.encoder, embedded, mask))


@Encoder.register("sequence")
class SequenceEncoder(Encoder):
    """h' = s(h) `(batch, num_tokens, output_size)`, with a network s over the vectors h_1 … h_T of
    another encoder, such as an LSTM over the stored vectors of a pretrained transformer.

    # Parameters

    encoder : `Encoder`
        The encoder of tokens.
    sequence : `Seq2SeqEncoder`
        s.
    dropout : `float`
        The dropout of h and of h'.

    # Raises

    `ConfigurationError` where `encoder` does not encode tokens, and where the input size of
    `sequence` is not its output size.
    """

    position_dims = 1

    def __init__(self, encoder: Encoder, sequence: Seq2SeqEncoder, dropout: float = 0.0) -> None:
        super().__init__()
        if encoder.position_dims != 1:
            raise ConfigurationError(
                "Expected an encoder of tokens in the encoder 'sequence', got "
                f"{type(encoder).__name__}, which has {encoder.position_dims} dimensions of "
                "positions."
            )
        check_input_size("sequence", sequence, encoder.output_size)
        self.encoder = encoder
        self.takes_encoded = encoder.takes_encoded
        self.sequence = sequence
        self.dropout = torch.nn.Dropout(dropout)
        self.output_size = sequence.get_output_dim()

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        h = self.dropout(self.encoder(x, mask))
        if mask is None:
            mask = get_text_field_mask(Encoded.input(x))
        return self.dropout(over_real(self.sequence, h, mask))


def over_real(encoder: Seq2SeqEncoder, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Apply an encoder to the real tokens; it sees no masked token, at any place of a sentence."""
    order = real_first(mask)
    if order is None:
        h: torch.Tensor = encoder(vectors, mask)
        return h
    h = encoder(reordered(vectors, order), reordered(mask, order))
    return reordered(h, order.argsort(1))


def check_input_size(
    name: str, module: Union[Seq2SeqEncoder, Seq2VecEncoder, None], size: int
) -> None:
    """Raise `ConfigurationError` where the part `name` of an encoder takes vectors of another size
    than the part before it returns."""
    if module is not None and module.get_input_dim() not in (size, None):
        raise ConfigurationError(
            f"Expected the input size of '{name}' to be {size}, the output size of the part before "
            f"it, got {module.get_input_dim()}; set its input size to {size}."
        )
