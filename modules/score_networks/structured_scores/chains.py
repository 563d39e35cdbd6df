"""Terms over pairs of tags: the linear chain, and skip chains."""

from typing import Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ...masks import real_first, reordered
from ...span_encodings import Encoding
from ...vocabulary import names
from ..constraints import Constraints, Followers, constraints_of
from .structured_score import StructuredScore

FORBIDDEN = -1e4  # half precision has it


def real_tokens(
    y: torch.Tensor, mask: Optional[torch.Tensor]
) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
    """Return y with its real tokens first, in their order, and zeros after them, and the mask that
    marks them. A masked token is not part of the sentence, at any place.

    # Raises

    `ValueError` for outputs that are not sequences of tags.
    """
    if y.dim() != 4 or (mask is not None and mask.dim() != 2):
        raise ValueError(
            "Expected sequences of tags, y (batch, num_samples, num_tokens, num_tags), for this "
            f"structured score, got y {tuple(y.shape)}; choose one for this output space."
        )
    if mask is None:
        return y, None
    order = real_first(mask)
    if order is not None:
        y, mask = reordered(y, order, dim=2), reordered(mask, order)
    return y.masked_fill(~mask.unsqueeze(1).unsqueeze(-1), 0.0), mask


def pairs(y: torch.Tensor, transitions: torch.Tensor, distance: int) -> torch.Tensor:
    """Return Σ_t y_{t−d}ᵀ W y_t, `(batch, num_samples)`; W is `(num_labels, num_labels)`."""
    return ((y[:, :, :-distance] @ transitions) * y[:, :, distance:]).sum((2, 3))


def chain_scores(
    y: torch.Tensor,
    mask: Optional[torch.Tensor],
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
) -> torch.Tensor:
    """Return aᵀ y_1 + Σ_{t ≥ 2} y_{t−1}ᵀ W y_t + bᵀ y_T, `(batch, num_samples)`."""
    y, mask = real_tokens(y, mask)
    score = pairs(y, transitions, 1) + y[:, :, 0] @ start
    if mask is None:
        return score + y[:, :, -1] @ end
    following = torch.nn.functional.pad(mask[:, 1:], (0, 1))
    is_last = (mask & ~following)[:, None, :, None]
    return score + (y * is_last).sum(2) @ end


@StructuredScore.register("linear-chain")
class LinearChainScore(StructuredScore):
    """s(y) = aᵀ y_1 + Σ_{t ≥ 2} y_{t−1}ᵀ W y_t + bᵀ y_T: the transitions of a conditional random
    field (Lafferty et al. 2001; as an energy, Tu & Gimpel 2018, equation 7).

    W_ij is the score of tag j after tag i. With constraints, a transition that they do not allow
    has the constant score −10⁴, and no probability in exact inference and likelihood; for relaxed
    outputs, such as those of gradient-based inference, use a chain without constraints.

    # Parameters

    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`, optional
        The encoding of spans, which allows only well-formed tags.
    allowed : `Dict[str, List[str]]`, optional
        For a tag those that may follow it, `{DET: ['ADJ', 'NOUN']}`; a tag that is not named may be
        followed by each. `START` has the first tags, and `END` among the followers allows a tag at
        the end.

    # Raises

    `ConfigurationError` for tags that do not belong to the encoding, and names that are no tags.
    """

    _forbidden_transitions: Optional[torch.Tensor]

    def __init__(
        self,
        num_labels: int,
        vocab: Optional[Vocabulary] = None,
        encoding: Optional[Encoding] = None,
        allowed: Optional[Followers] = None,
    ) -> None:
        super().__init__()
        constraints = None
        if encoding is not None or allowed is not None:
            assert vocab is not None
            constraints = constraints_of(vocab, encoding, allowed, "the score 'linear-chain'")
        self.tags = [] if vocab is None else names(vocab, "labels")
        self.is_constrained = constraints is not None
        for name in Constraints._fields:
            value = None if constraints is None else getattr(constraints, name)
            self.register_buffer(f"_forbidden_{name}", value, persistent=False)
        self.transitions = torch.nn.Parameter(torch.empty(num_labels, num_labels))
        self.start = torch.nn.Parameter(torch.empty(num_labels))
        self.end = torch.nn.Parameter(torch.empty(num_labels))
        for parameter in self.parameters():
            torch.nn.init.normal_(parameter, std=0.1)

    @property
    def constraints(self) -> Optional[Constraints]:
        """The transitions that are not allowed."""
        if not self.is_constrained:
            return None
        return Constraints(*(getattr(self, f"_forbidden_{name}") for name in Constraints._fields))

    def check_allowed(self, y: torch.Tensor, mask: Optional[torch.Tensor]) -> None:
        """Raise `ValueError` where the constraints do not allow true tags y."""
        if self.constraints is None:
            return
        weights = [forbidden.to(y.dtype) for forbidden in self.constraints]
        if not (chain_scores(y, mask, *weights) > 0).any():
            return
        y, mask = real_tokens(y, mask)
        for row, tags in enumerate(y.argmax(-1)[:, 0]):
            own = (tags if mask is None else tags[mask[row]]).tolist()
            wrong = self.constraints.violations(own)
            if wrong:
                before, after = (
                    self.tags[own[t]] if 0 <= t < len(own) else "the edge of the sentence"
                    for t in (wrong[0] - 1, wrong[0])
                )
                raise ValueError(
                    "Expected true tags that the constraints of the score 'linear-chain' allow, "
                    f"got {after} after {before}; correct the data or the constraints."
                )

    def weights(self) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return W, a and b, with the constant score at forbidden transitions."""
        weights = (self.transitions, self.start, self.end)
        if self.constraints is None:
            return weights
        transitions, start, end = (
            weight.masked_fill(forbidden, FORBIDDEN)
            for weight, forbidden in zip(weights, self.constraints, strict=True)
        )
        return transitions, start, end

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        return chain_scores(y, mask, *self.weights())


@StructuredScore.register("skip-chain")
class SkipChainScore(StructuredScore):
    """s(y) = Σ_{m = 1 … M} Σ_{t > m} y_{t−m}ᵀ W_m y_t: pairs of tags up to M apart (Sutton &
    McCallum 2004; Tu et al. 2020, section 3).

    # Parameters

    order : `int`
        M.
    """

    def __init__(self, num_labels: int, order: int = 2) -> None:
        super().__init__()
        if order < 1:
            raise ConfigurationError(
                f"Expected an order of at least 1 of 'skip-chain', got {order}."
            )
        self.transitions = torch.nn.Parameter(torch.empty(order, num_labels, num_labels))
        torch.nn.init.normal_(self.transitions, std=0.1)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y, _ = real_tokens(y, mask)
        score = y.new_zeros(y.shape[:2])
        for distance, transitions in enumerate(self.transitions, 1):
            if distance < y.shape[2]:
                score = score + pairs(y, transitions, distance)
        return score
