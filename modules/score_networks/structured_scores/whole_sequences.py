"""Terms over whole sequences: attention over tags or arcs, and a language model of tags."""

from typing import Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn.util import add_positional_features
from torch.nn.functional import scaled_dot_product_attention, softplus

from ...encoded import at_least_single
from ...output_spaces import DependencyTreeOutputSpace, OutputSpace
from .chains import real_tokens
from .dependencies import ArcEmbedding
from .structured_score import StructuredScore


@StructuredScore.register("self-attention")
class SelfAttentionScore(StructuredScore):
    """s(y) = Σ_t vᵀ softplus(U [h_t; a_t] + b), with h_t the embedding of the tag or of the arc of
    token t plus the encoding of position t, and a_t the attention of t over h_1 … h_T (after Tu et
    al. 2020, section 3; Vaswani et al. 2017).

    A tag has the embedding E y_t. An arc of a dependency tree has E r_t + A x_t + B Σ_h y_th x_h:
    the shares of its relations, the encoding x_t of the token, and the expected one of its head,
    with a learned vector for the root.

    # Parameters

    hidden_size : `int`
        The size of h_t and a_t; a multiple of twice `num_heads`, at least 4.
    num_heads : `int`
        The number of heads of the attention.
    window : `int`, optional
        The largest distance of attention; by default the whole sentence.

    # Raises

    `ConfigurationError` for outputs without tags or arcs, and for bad sizes.
    """

    embedding: Union[torch.nn.Linear, ArcEmbedding]

    def __init__(
        self,
        output_space: OutputSpace,
        encoding_size: int,
        num_labels: Optional[int] = None,
        hidden_size: int = 32,
        num_heads: int = 2,
        window: Optional[int] = None,
    ) -> None:
        super().__init__()
        window_is_good = window is None or window >= 1
        if hidden_size < 4 or num_heads < 1 or hidden_size % (2 * num_heads) or not window_is_good:
            raise ConfigurationError(
                "Expected a hidden_size of at least 4 that is a multiple of twice num_heads, and a "
                "window of at least 1, of the structured score 'self-attention', got hidden_size "
                f"{hidden_size}, num_heads {num_heads} and window {window}."
            )
        if isinstance(output_space, DependencyTreeOutputSpace):
            self.embedding = ArcEmbedding(output_space, encoding_size, hidden_size)
        elif num_labels is not None:
            self.embedding = torch.nn.Linear(num_labels, hidden_size, bias=False)
        else:
            raise ConfigurationError(
                "Expected tags or the arcs of 'dependency-tree' for the structured score "
                "'self-attention', got one logit at each position in the output space "
                f"{type(output_space).__name__}."
            )
        self.num_heads = num_heads
        self.window = window
        self.projections = torch.nn.Linear(hidden_size, 3 * hidden_size)
        self.hidden = torch.nn.Linear(2 * hidden_size, hidden_size)
        self.projection = torch.nn.Linear(hidden_size, 1, bias=False)

    def encode(
        self, x: object, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        return self.embedding.encode(h) if isinstance(self.embedding, ArcEmbedding) else None

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if isinstance(self.embedding, ArcEmbedding):
            assert h is not None
            y, mask = real_tokens(self.embedding(y, mask, h), mask)
            rows = y.flatten(0, 1)
        else:
            y, mask = real_tokens(y, mask)
            rows = self.embedding(y.flatten(0, 1))
        h = add_positional_features(rows)
        query, key, value = (
            part.unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for part in self.projections(h).chunk(3, dim=2)
        )
        allowed = self._allowed(y, mask)
        attended = scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        both = torch.cat([h, attended.transpose(1, 2).flatten(2)], dim=2)
        values = self.projection(softplus(self.hidden(both))).view(y.shape[:3])
        return values.sum(2) if mask is None else (values * mask.unsqueeze(1)).sum(2)

    def _allowed(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> Optional[torch.Tensor]:
        """Return which tokens each token may attend to, `(batch · num_samples, 1, num_tokens,
        num_tokens)`."""
        if mask is None and self.window is None:
            return None
        place = torch.arange(y.shape[2], device=y.device)
        distance = (place.unsqueeze(0) - place.unsqueeze(1)).abs()
        allowed = (distance <= (self.window or len(place))).expand(len(y), -1, -1)
        if mask is not None:
            # Padding attends to itself, since a row without attention is NaN.
            allowed = (allowed & mask.unsqueeze(1)) | (distance == 0)
        return allowed.repeat_interleave(y.shape[1], dim=0).unsqueeze(1)


@StructuredScore.register("label-language-model")
class LabelLanguageModelScore(StructuredScore):
    """s(y) = Σ_t log p(y_t | y_1 … y_{t−1}), linear in y_t, with p by an LSTM over the previous
    relaxed tags (Tu & Gimpel 2018, section 5, the tag language model).

    # Parameters

    embedding_dim : `int`
        The size of the embeddings of relaxed tags.
    hidden_size : `int`
        The size of the LSTM.
    """

    def __init__(
        self,
        num_labels: int,
        output_space: OutputSpace,
        embedding_dim: int = 32,
        hidden_size: int = 64,
    ) -> None:
        super().__init__()
        if min(embedding_dim, hidden_size) < 1:
            raise ConfigurationError(
                "Expected embedding_dim and hidden_size of at least 1 of the structured score "
                f"'label-language-model', got {embedding_dim} and {hidden_size}."
            )
        self.output_space = output_space
        self.embedding = torch.nn.Linear(num_labels, embedding_dim)
        self.start = torch.nn.Parameter(torch.zeros(embedding_dim))
        self.lstm = torch.nn.LSTM(embedding_dim, hidden_size, batch_first=True)
        self.prediction = torch.nn.Linear(hidden_size, num_labels)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, mask = real_tokens(y, mask)
        rows = y.flatten(0, 1)
        before = self.embedding(rows[:, :-1])
        start = self.start.expand(len(rows), 1, -1)
        with torch.autocast("cpu", enabled=False):  # where LSTMs have no half precision
            hidden, _ = self.lstm(torch.cat([start, before.to(start.dtype)], dim=1))
        logits = at_least_single(self.prediction(hidden)).view_as(y)
        return self.output_space.log_prob(logits, y, mask)
