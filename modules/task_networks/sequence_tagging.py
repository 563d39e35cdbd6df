"""The task network for sequences of tags."""

from typing import Any, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder

from ..sequence_encoder import SequenceEncoder
from ..vocabulary import names
from .task_network import TaskNetwork


@TaskNetwork.register("sequence-tagging")
class SequenceTaggingTaskNetwork(TaskNetwork):
    """logits_t = B h_t + c, with h_t the encoding of token t in its sentence.

    # Parameters

    embedder : `TextFieldEmbedder`
        Embeds each token.
    encoder : `Seq2SeqEncoder`, optional
        Without it, h_t is the embedding of the token.
    dropout : `float`
        Of the embeddings and of h_t.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = SequenceEncoder(embedder, encoder, dropout)
        self.tag_embeddings = torch.nn.Linear(self.encoder.output_size, len(names(vocab, "labels")))

    @property
    def output_size(self) -> int:
        return self.tag_embeddings.out_features

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.tag_embeddings(self.encoder(x, mask))
