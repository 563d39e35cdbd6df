"""The score network for multi-label classification."""

from typing import Any, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward

from ..output_spaces import OutputSpace
from ..vocabulary import names
from .score_network import ScoreNetwork
from .structured_scores import StructuredScore, construct_scores


@ScoreNetwork.register("multi-label")
class MultiLabelScoreNetwork(ScoreNetwork):
    """s(x, y) = Σ_i y_i (b_iᵀ f(x) + c_i) + Σ_k s_k(y) (Belanger & McCallum 2016, equations 3, 4).

    # Parameters

    feature_network : `Lazy[FeedForward]`
        f, without `input_dim`, which the data decide (vocabulary namespace `features`).
    structured_scores : `List[Lazy[StructuredScore]]`, optional
        The terms over the labels, for example `{type: 'feedforward'}`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        feature_network: Lazy[FeedForward],
        structured_scores: Optional[List[Lazy[StructuredScore]]] = None,
    ) -> None:
        num_labels = len(names(vocab, "labels"))
        super().__init__(
            output_space, construct_scores(structured_scores, num_labels, output_space)
        )
        self.feature_network = feature_network.construct(input_dim=len(names(vocab, "features")))
        self.label_embeddings = torch.nn.Linear(self.feature_network.get_output_dim(), num_labels)

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.label_embeddings(self.feature_network(x))
