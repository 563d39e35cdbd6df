"""The score network for sequences of tags."""

from typing import Any, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import Vocabulary
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder

from ..output_spaces import OutputSpace
from ..sequence_encoder import SequenceEncoder
from ..vocabulary import names
from .score_network import ScoreNetwork
from .structured_scores import StructuredScore, construct_scores


@ScoreNetwork.register("sequence-tagging")
class SequenceTaggingScoreNetwork(ScoreNetwork):
    """s(x, y) = Σ_t y_tᵀ (B h_t + c) + Σ_k s_k(y), with h_t the encoding of token t in its sentence
    (Tu & Gimpel 2018, equation 7; Tu et al. 2020, equation 3).

    # Parameters

    embedder : `TextFieldEmbedder`
        Embeds each token.
    encoder : `Seq2SeqEncoder`, optional
        Without it, h_t is the embedding of the token.
    dropout : `float`
        Of the embeddings and of h_t.
    structured_scores : `List[Lazy[StructuredScore]]`, optional
        The terms over the tags, for example `linear-chain`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        embedder: TextFieldEmbedder,
        encoder: Optional[Seq2SeqEncoder] = None,
        dropout: float = 0.0,
        structured_scores: Optional[List[Lazy[StructuredScore]]] = None,
    ) -> None:
        num_labels = len(names(vocab, "labels"))
        super().__init__(
            output_space, construct_scores(structured_scores, num_labels, output_space)
        )
        self.encoder = SequenceEncoder(embedder, encoder, dropout)
        self.tag_embeddings = torch.nn.Linear(self.encoder.output_size, num_labels)

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.tag_embeddings(self.encoder(x, mask))
