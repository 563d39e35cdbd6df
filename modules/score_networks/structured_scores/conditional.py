"""Terms over labels that depend on the encoding of x."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward
from allennlp.nn import Activation
from allennlp.nn.util import masked_softmax

from .structured_score import StructuredScore, label_rows


@StructuredScore.register("conditional-feedforward")
class ConditionalFeedForwardScore(StructuredScore):
    """s(y, h) = cᵀ g(σ(C y + D h + b)): patterns of labels that depend on the input, the
    conditional label energy of SPEN (Belanger & McCallum 2016, section 3.2), up to sign.

    D h is computed once for all y.

    # Parameters

    num_patterns : `int`
        The number of rows of C.
    activation : `Activation`, optional
        σ; `softplus` by default.
    feedforward : `Lazy[FeedForward]`, optional
        g, without `input_dim`, which is `num_patterns`; the identity by default.

    # Raises

    `ValueError` for outputs that are not rows of labels, and for an encoding of tokens or pixels.
    """

    sums_positions = False

    def __init__(
        self,
        num_labels: int,
        encoding_size: int,
        num_patterns: int,
        activation: Optional[Activation] = None,
        feedforward: Optional[Lazy[FeedForward]] = None,
    ) -> None:
        super().__init__()
        check_positive("conditional-feedforward", "num_patterns", num_patterns)
        self.of_labels = torch.nn.Linear(num_labels, num_patterns, bias=False)
        self.of_encoding = torch.nn.Linear(encoding_size, num_patterns)
        self.activation = activation or Activation.by_name("softplus")()
        self.feedforward = None
        size = num_patterns
        if feedforward is not None:
            self.feedforward = feedforward.construct(input_dim=num_patterns)
            size = self.feedforward.get_output_dim()
        self.projection = torch.nn.Linear(size, 1, bias=False)

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        return self.of_encoding(instance_vectors(self, h))

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        labels = self.of_labels(label_rows(self, y, mask))
        patterns = self.activation(labels + h.unsqueeze(1))
        if self.feedforward is not None:
            patterns = self.feedforward(patterns)
        return self.projection(patterns).squeeze(-1)


@StructuredScore.register("label-attention")
class LabelAttentionScore(StructuredScore):
    """s(y, h) = Σ_i y_i Σ_{j ≠ i} a_ij(h) y_j: every label that is on attends to the others.

    a_ij(h) = ⟨u_i, v_j⟩ · softmax_{j ≠ i}(⟨q_i + W h, k_j⟩ / √size): which pairs of labels matter
    depends on the input, and how well they fit does not. The weights a are computed once for all y.
    Their memory is quadratic in the number of labels.

    # Parameters

    hidden_size : `int`
        The size of the embeddings q, k, u, v of a label.

    # Raises

    `ValueError` for outputs that are not rows of labels, and for an encoding of tokens or pixels.
    """

    def __init__(self, num_labels: int, encoding_size: int, hidden_size: int = 32) -> None:
        super().__init__()
        check_positive("label-attention", "hidden_size", hidden_size)
        self.hidden_size = hidden_size
        # For each label q, k, u and v.
        embeddings = torch.randn(4, num_labels, hidden_size) / hidden_size**0.5
        self.embeddings = torch.nn.Parameter(embeddings)
        self.of_encoding = torch.nn.Linear(encoding_size, hidden_size, bias=False)

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        query, key, first, second = self.embeddings
        shifts = self.of_encoding(instance_vectors(self, h)).unsqueeze(1)
        logits = (query + shifts) @ key.T / self.hidden_size**0.5
        others = ~torch.eye(len(query), dtype=torch.bool, device=logits.device)
        if mask is not None:
            others = others & mask.unsqueeze(1)
        weights = masked_softmax(logits, others.expand_as(logits), memory_efficient=True)
        # A label without others attends to none, where the softmax would give equal weights.
        return weights * others * (first @ second.T)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        y = label_rows(self, y, mask)
        return ((y @ h) * y).sum(-1)


def instance_vectors(term: StructuredScore, h: torch.Tensor) -> torch.Tensor:
    """Return h `(batch, encoding_size)`.

    # Raises

    `ValueError` for encodings of tokens or pixels, in the name of `term`.
    """
    if h.dim() != 2:
        raise ValueError(
            "Expected one vector of the encoder for each instance, h (batch, encoding_size), for "
            f"the structured score {type(term).__name__}, got h {tuple(h.shape)}; choose another "
            "one for this encoder."
        )
    return h


def check_positive(term: str, name: str, value: int) -> None:
    """Raise `ConfigurationError` if the parameter `name` of a term is below 1."""
    if value < 1:
        raise ConfigurationError(
            f"Expected {name} of at least 1 in the structured score '{term}', got {value}."
        )
