"""The layer from encodings to logits."""

from abc import ABC, abstractmethod
from typing import Optional, cast

import torch
from allennlp.common import Lazy, Registrable
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import leaky_relu, log_softmax

from .encoded import at_least_single
from .encoders import Encoder
from .output_spaces import OutputSpace


def logits_size(encoder: Encoder, output_space: OutputSpace, num_labels: int) -> Optional[int]:
    """Return the size of the logits of one vector of `encoder`; `None` for one logit without a
    dimension, and where it depends on the input.

    # Raises

    `ConfigurationError` where the encoder does not fit the output space; the message names both.
    """
    try:
        return output_space.logits_size(encoder.position_dims, num_labels)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error.message} The encoder is {type(encoder).__name__}, the output space "
            f"{type(output_space).__name__}; choose another one of the two."
        ) from None


class Projection(torch.nn.Module, Registrable, ABC):
    """Compute logits `(batch, *event_shape)` of h `(batch, *position_shape, output_size)`.

    The output space names the projection that fits it. A subclass sets `squeezed` and fills
    `forward(h, mask)`.
    """

    squeezed: bool
    """Whether the logits have no last dimension of a fixed size."""
    out_features: int
    """The size of the last dimension of the logits where it is fixed."""

    @abstractmethod
    def forward(self, h: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits of h, whose padding `mask` marks."""


@Projection.register("linear")
class LinearProjection(torch.nn.Linear, Projection):
    """logits = W h + c.

    The output space and the positions of the encoder decide their number: the vector of an instance
    has a logit for each label, the vector of a token one for each tag, the vector of a pixel of a
    binary mask a single one, without a last dimension.

    # Raises

    `ConfigurationError` where the encoder does not fit the output space.
    """

    def __init__(self, encoder: Encoder, output_space: OutputSpace, num_labels: int) -> None:
        check_projection("linear", output_space)
        size = logits_size(encoder, output_space, num_labels)
        super().__init__(encoder.output_size, 1 if size is None else size)
        self.squeezed = size is None

    def forward(self, h: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits of h; the mask changes nothing."""
        logits = super().forward(h)
        return logits.squeeze(-1) if self.squeezed else logits


@Projection.register("biaffine")
class BiaffineProjection(Projection):
    """The logits of arcs and relations between tokens (Dozat & Manning 2017, equations 4 to 9): of
    token i with the head j and the relation r
    a_jᵀ U d_i + a_jᵀ u + log softmax_r(b_jᵀ V_r e_i + v_rᵀ [b_j; e_i] + c_r), with a_j and b_j
    functions of h_j, d_i and e_i of h_i, each a layer with a leaky ReLU, and a vector in place of
    h for the root.

    The softmax of all logits of a token is p(head) p(relation | head), so that the relation is a
    factor given the head, and the loss `cross-entropy` is that of the paper.

    # Parameters

    arc_size : `int`
        The size of a and d.
    relation_size : `int`
        The size of b and e; without relations there are none.
    dropout : `float`
        The dropout of a, b, d and e.

    # Raises

    `ConfigurationError` for another output space than `dependency-tree`, and for an encoder that is
    not one of tokens.
    """

    squeezed = True

    def __init__(
        self,
        encoder: Encoder,
        output_space: OutputSpace,
        num_labels: int,
        arc_size: int = 400,
        relation_size: int = 100,
        dropout: float = 0.33,
    ) -> None:
        super().__init__()
        check_projection("biaffine", output_space)
        logits_size(encoder, output_space, num_labels)
        size = encoder.output_size
        self.output_space = output_space
        self.root = torch.nn.Parameter(torch.randn(size) / size**0.5)
        self.dropout = torch.nn.Dropout(dropout)
        self.arc_head = torch.nn.Linear(size, arc_size)
        self.arc_token = torch.nn.Linear(size, arc_size)
        self.arc_weight = torch.nn.Parameter(torch.empty(arc_size + 1, arc_size))
        parts = [self.arc_weight]
        self.num_relations = max(num_labels, 1)
        if self.num_relations > 1:
            self.relation_head = torch.nn.Linear(size, relation_size)
            self.relation_token = torch.nn.Linear(size, relation_size)
            shape = (self.num_relations, relation_size + 1, relation_size + 1)
            self.relation_weight = torch.nn.Parameter(torch.empty(shape))
            parts.append(self.relation_weight)
        for part in parts:
            torch.nn.init.normal_(part, std=1 / part.shape[-1])

    def forward(self, h: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the logits `(batch, num_tokens, (num_tokens + 1) · num_relations)`; they mark the
        tokens that do not exist."""
        heads = torch.cat([self.root.to(h.dtype).expand(len(h), 1, -1), h], 1)
        tokens = _with_one(self._layer(self.arc_token, h))
        arcs = (tokens @ self.arc_weight) @ self._layer(self.arc_head, heads).transpose(1, 2)
        logits = at_least_single(arcs)
        if self.num_relations > 1:
            tokens = _with_one(self._layer(self.relation_token, h))
            above = _with_one(self._layer(self.relation_head, heads))
            # (batch, num_tokens, num_heads, num_relations)
            each = torch.einsum("bid,rde->bire", tokens, self.relation_weight)
            relations = torch.einsum("bire,bje->bijr", each, above)
            logits = logits.unsqueeze(-1) + log_softmax(at_least_single(relations), -1)
            logits = logits.flatten(2)
        return self.output_space.with_mask(logits, mask)

    def _layer(self, layer: torch.nn.Linear, h: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.dropout(leaky_relu(layer(h), 0.1)))


def _with_one(h: torch.Tensor) -> torch.Tensor:
    """Return vectors with a last entry of 1, for the linear terms."""
    return torch.cat([h, torch.ones_like(h[..., :1])], -1)


def check_projection(name: str, output_space: OutputSpace) -> None:
    """Raise `ConfigurationError` where the output space needs another projection than `name`."""
    if output_space.projection != name:
        raise ConfigurationError(
            f"Expected the projection '{output_space.projection}' for the output space "
            f"{type(output_space).__name__}, got '{name}'."
        )


def construct_projection(
    projection: Optional[Lazy[Projection]],
    encoder: Encoder,
    output_space: OutputSpace,
    num_labels: int,
) -> Projection:
    """Return the projection of a config, by default the one that the output space names."""
    if projection is None:
        default = Projection.by_name(output_space.projection)
        return default(encoder=encoder, output_space=output_space, num_labels=num_labels)
    return projection.construct(encoder=encoder, output_space=output_space, num_labels=num_labels)
