"""The task network for multi-label classification."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy
from allennlp.data import Vocabulary
from allennlp.modules import FeedForward

from ..vocabulary import names
from .task_network import TaskNetwork


@TaskNetwork.register("multi-label")
class MultiLabelTaskNetwork(TaskNetwork):
    """logit_i = b_iᵀ f(x) + c_i, with the feature network f and an embedding b_i of each label.

    # Parameters

    feature_network : `Lazy[FeedForward]`
        f, without `input_dim`, which the data decide (vocabulary namespace `features`).
    """

    def __init__(self, vocab: Vocabulary, feature_network: Lazy[FeedForward]) -> None:
        super().__init__()
        self.feature_network = feature_network.construct(input_dim=len(names(vocab, "features")))
        self.label_embeddings = torch.nn.Linear(
            self.feature_network.get_output_dim(), len(names(vocab, "labels"))
        )

    @property
    def output_size(self) -> int:
        return self.label_embeddings.out_features

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.label_embeddings(self.feature_network(x))
