"""The encoder of tokens in their sentence."""

from typing import Any, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder, Seq2VecEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask

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
        # The encoder sees no masked token, at any place of the sentence.
        order = real_first(mask)
        if order is None:
            return self.dropout(self.encoder(embedded, mask))
        h = self.encoder(reordered(embedded, order), reordered(mask, order))
        return self.dropout(reordered(h, order.argsort(1)))


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
