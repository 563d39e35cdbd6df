"""The encoder of whole texts."""

from typing import Any, List, Optional, Sequence

import torch
from allennlp.common import Lazy
from allennlp.modules import FeedForward, Seq2SeqEncoder, Seq2VecEncoder, TextFieldEmbedder
from allennlp.nn.util import get_text_field_mask
from torch.nn.functional import pad

from ..encoded import at_least_single
from .encoder import Encoder
from .pooling import PoolingEncoder
from .tokens import TokenEncoder, check_input_size


@Encoder.register("text")
class TextEncoder(Encoder):
    """h = f(v(h_1 … h_T)) `(batch, output_size)`: one vector for each text, or for several texts of
    an instance, h = f([v_1 … v_K]), with the same weights for all of them.

    # Parameters

    embedder : `TextFieldEmbedder`
        Embeds each token.
    seq2vec_encoder : `Seq2VecEncoder`, optional
        v, any of AllenNLP's: `boe` (mean or sum), `cnn`, `lstm`, `bert_pooler`, `cls_pooler`; by
        default the encoder `pooling`.
    encoder : `Seq2SeqEncoder`, optional
        Encodes the embedded tokens before v.
    feedforward : `Lazy[FeedForward]`, optional
        f, without `input_dim`, which is the output size of v.
    dropout : `float`
        The dropout of the embeddings, of the output of `encoder` and of the output of v.
    pooling : `List[str]`
        The `kinds` of the encoder `pooling`, where there is no `seq2vec_encoder`.
    texts : `List[str]`, optional
        The names of the texts of an instance, of a reader that yields several.

    # Raises

    `ValueError` where x has other texts. `ConfigurationError` where the input size of a part is not
    the output size of the one before it.
    """

    position_dims = 0

    def __init__(
        self,
        embedder: TextFieldEmbedder,
        seq2vec_encoder: Optional[Seq2VecEncoder] = None,
        encoder: Optional[Seq2SeqEncoder] = None,
        feedforward: Optional[Lazy[FeedForward]] = None,
        dropout: float = 0.0,
        pooling: Sequence[str] = ("mean", "max"),
        texts: Optional[List[str]] = None,
    ) -> None:
        super().__init__()
        self.tokens = TokenEncoder(embedder, encoder, dropout)
        if seq2vec_encoder is None:
            seq2vec_encoder = PoolingEncoder(self.tokens.output_size, pooling)
        check_input_size("seq2vec_encoder", seq2vec_encoder, self.tokens.output_size)
        self.seq2vec_encoder = seq2vec_encoder
        self.dropout = torch.nn.Dropout(dropout)
        windows = [v for v in seq2vec_encoder.modules() if isinstance(v, torch.nn.Conv1d)]
        self.min_tokens = max((window.kernel_size[0] for window in windows), default=1)
        self.texts = texts
        self.output_size = seq2vec_encoder.get_output_dim() * (1 if texts is None else len(texts))
        self.feedforward = None
        if feedforward is not None:
            self.feedforward = feedforward.construct(input_dim=self.output_size)
            self.output_size = self.feedforward.get_output_dim()

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if self.texts is None:
            h = self._vector(x)
        else:
            if not isinstance(x, dict) or set(x) != set(self.texts):
                found = sorted(x) if isinstance(x, dict) else type(x).__name__
                raise ValueError(
                    f"Expected the texts {sorted(self.texts)}, as in 'texts' of the encoder "
                    f"'text', got {found}; name the columns of text of the reader."
                )
            h = torch.cat([self._vector(x[name]) for name in self.texts], dim=-1)
        return h if self.feedforward is None else self.feedforward(h)

    def _vector(self, x: Any) -> torch.Tensor:
        """Return the vector of each text."""
        # The mask of the network is that of the outputs (labels); that of the tokens is in x.
        embedded = self.tokens(x)
        tokens = get_text_field_mask(x)
        # Convolutions fail on texts that are shorter than their windows.
        missing = max(self.min_tokens - tokens.shape[1], 0)
        embedded, tokens = pad(embedded, (0, 0, 0, missing)), pad(tokens, (0, missing))
        # In half precision AllenNLP's `cnn` returns huge values for short texts.
        with torch.autocast(embedded.device.type, enabled=False):
            h = self.seq2vec_encoder(at_least_single(embedded), tokens)
        return self.dropout(h)
