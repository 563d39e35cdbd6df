"""The score network."""

from typing import Any, List, Literal, Optional, cast

import torch
from allennlp.common import Lazy, Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ..encoded import Encoded, Encoding, at_least_single
from ..encoders import Encoder
from ..gradients import Differentiated, GradientFunction, ValueAndGradient, by_autograd
from ..networks import Network
from ..old_configs import refuse_old_form
from ..output_spaces import OutputSpace
from ..projection import Projection, construct_projection, logits_size
from ..vocabulary import names
from .structured_scores import StructuredScore, construct_scores


class ScoreNetwork(Differentiated, Network, Registrable):
    """Score outputs: s(x, y) = Σ_p ⟨y_p, u_p(x)⟩ + Σ_k s_k(y, h), higher is better (minus the
    energy).

    The local term has the potentials u = W h + c, with h the encoding of x (Belanger & McCallum
    2016, equations 3 and 4; Tu & Gimpel 2018, equation 7). The encoding is computed once for all
    samples of a call and, with an `Encoded` and constant weights, once for all calls. The score is
    differentiable in y and in the weights.

    # Parameters

    encoder : `Encoder`
        x to h.
    structured_scores : `List[Lazy[StructuredScore]]`, optional
        The terms s_k over all positions, for example `{type: 'feedforward'}` or `linear-chain`.
    local_term : `bool`
        Whether there is a local term.
    positions : `"sum"` or `"mean"`
        Whether the terms that are sums over positions, the local term among them, are added up, as
        in a random field, or divided by the number of real positions: for a score that stands for a
        value in [0, 1] whatever the size of an input.
    projection : `Projection`, optional
        h to potentials; by default that of the output space.

    # Raises

    `ConfigurationError` without any term, and for an encoder that does not fit the output space.
    """

    default_implementation = "encoder"
    computed_by = ("score", "forward")

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        encoder: Encoder,
        structured_scores: Optional[List[Lazy[StructuredScore]]] = None,
        local_term: bool = True,
        positions: Literal["sum", "mean"] = "sum",
        projection: Optional[Lazy[Projection]] = None,
    ) -> None:
        super().__init__()
        if positions not in ("sum", "mean"):
            raise ConfigurationError(
                f"Expected positions to be 'sum' or 'mean' in the score network, got '{positions}'."
            )
        if not local_term and not structured_scores:
            raise ConfigurationError(
                "Expected structured_scores in a score network without a local term, got none."
            )
        num_labels = len(names(vocab, "labels"))
        self.output_space = output_space
        self.positions = positions
        self.local_term = local_term
        self.encoder = encoder
        self.takes_encoded = encoder.takes_encoded
        self.logits_size = logits_size(encoder, output_space, num_labels)
        self.structured_scores = torch.nn.ModuleList(
            construct_scores(structured_scores, output_space, encoder, self.logits_size)
        )
        self.projection = (
            construct_projection(projection, encoder, output_space, num_labels)
            if local_term
            else None
        )

    @classmethod
    def from_params(cls, params: Params, *constructor: Any, **extras: Any) -> "ScoreNetwork":
        """Build the network; the form of earlier versions raises `ConfigurationError`."""
        refuse_old_form(params, "score_network")
        return super().from_params(params, *constructor, **extras)

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> Encoding:
        """Return the potentials u `(batch, *event_shape)`, and the encoding of x by each term."""
        h = self.encoder(x, mask)
        if self.projection is not None:
            potentials = self.projection(h, mask)
        else:
            potentials = self.output_space.zeros(h, self.logits_size, mask)
        scores = cast(List[StructuredScore], self.structured_scores)
        terms = (score.encode(Encoded.input(x), h, mask) for score in scores)
        return (potentials, *terms)

    def compile_parts(self) -> None:
        super().compile_parts()
        self.score = torch.compile(self.score)  # type: ignore[method-assign]

    def potentials(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return u(x) `(batch, *event_shape)`; zeros without a local term."""
        potentials = self.encoding(x, mask)[0]
        assert potentials is not None
        return potentials

    def forward(self, x: Any, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`.

        # Raises

        `ValueError` if y does not fit the potentials of x, or `score` returned another shape.
        """
        return self._scores(self.encoding(x, mask), y, mask)

    def with_latest(
        self, x: Encoded, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the scores with the last encoding of x, and so with its dropout: those of the
        potentials that were computed of it before."""
        return self._scores(x.latest(self, mask), y, mask)

    def _scores(
        self, encoding: Encoding, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        scores = self.score(encoding, y, mask)
        if scores.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.score to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(scores.shape)}."
            )
        return at_least_single(scores)

    def score(
        self,
        encoding: Encoding,
        y: torch.Tensor,
        mask: Optional[torch.Tensor],
    ) -> torch.Tensor:
        """Return the scores of y with the encoding of x."""
        potentials, *contexts = encoding
        assert potentials is not None
        self._check_fit(y, potentials)
        sums: List[torch.Tensor] = []
        others: List[torch.Tensor] = []
        for term, context in zip(self.structured_scores, contexts, strict=True):
            (sums if term.sums_positions else others).append(term(y, mask, context))
        # The local term is last: its gradient in y comes first, and the others are added in place.
        if self.local_term:
            local = self.output_space.position_dot(y, potentials.unsqueeze(1))
            total = sum(sums, start=self.output_space.sum_positions(local, mask))
        else:
            total = sum(sums[1:], start=sums[0]) if sums else y.new_zeros(y.shape[:2])
        if self.positions == "mean":
            total = total / self.output_space.num_positions(y, mask)
        return sum(others, start=total)

    def gradient_function(
        self, x: Any, mask: Optional[torch.Tensor] = None, scale: float = 1.0
    ) -> GradientFunction:
        """Return the function of y `(batch, num_samples, *event_shape)` that returns `scale` times
        the scores `(batch, num_samples)` and the gradient of each in y, shaped like y.

        The encoding of x is computed once. A graph is built only for terms without a closed form,
        and for a subclass with another `score`.
        """
        with torch.no_grad():
            potentials, *contexts = self.encoding(x, mask)
            assert potentials is not None
            local = scale * potentials.unsqueeze(1)
            local_gradient = self.output_space.zero_padding(local, mask)
        space, mean = self.output_space, self.positions == "mean"
        scores = cast(List[StructuredScore], self.structured_scores)
        terms = list(zip(scores, contexts, strict=True))
        sums, others = (
            [
                term.gradient_adder(mask, context, scale)
                for term, context in terms
                if term.sums_positions == sums_positions
            ]
            for sums_positions in (True, False)
        )

        def evaluate(y: torch.Tensor) -> ValueAndGradient:
            self._check_fit(y, potentials)
            if self.local_term:
                gradient = local_gradient
                values = space.sum_positions(space.position_dot(y, local), mask)
            else:
                values, gradient = y.new_zeros(y.shape[:2]), torch.zeros_like(y)
            for add in sums:
                values, gradient = add(y, values, gradient)
            if mean:
                count = torch.as_tensor(space.num_positions(y, mask), device=y.device)
                values = values / count
                gradient = gradient / count.view(count.shape + (1,) * (y.dim() - count.dim()))
            for add in others:
                values, gradient = add(y, values, gradient)
            return at_least_single(values), gradient.expand(y.shape)

        return evaluate

    def by_autograd(
        self, x: Any, mask: Optional[torch.Tensor] = None, scale: float = 1.0
    ) -> GradientFunction:
        """Return the result of `gradient_function`, by autograd."""
        return by_autograd(lambda y: self(x, y, mask), scale)

    def _check_fit(self, y: torch.Tensor, potentials: torch.Tensor) -> None:
        """Raise `ValueError` if y does not fit the potentials of x."""
        if y.shape[:1] + y.shape[2:] != potentials.shape:
            raise ValueError(
                "Expected y of shape (batch, num_samples, *event_shape) = "
                f"({', '.join(map(str, (*potentials.shape[:1], 'any', *potentials.shape[1:])))}), "
                f"by the potentials {tuple(potentials.shape)} of {type(self).__name__}, got "
                f"{tuple(y.shape)}."
            )


ScoreNetwork.register("encoder")(ScoreNetwork)


def is_sum(score_network: ScoreNetwork) -> bool:
    """Return whether the score is a sum over positions, and not their mean."""
    return getattr(score_network, "positions", "sum") == "sum"


def check_sum(score_network: ScoreNetwork) -> None:
    """Raise `ConfigurationError` for a mean over positions, which exact inference does not have."""
    if not is_sum(score_network):
        raise ConfigurationError(
            "Expected positions 'sum' of the score network for exact inference, whose scores are "
            "sums over positions, got 'mean'; leave out 'positions', or choose another sampler and "
            "loss."
        )
