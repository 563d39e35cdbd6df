"""The base of score networks."""

from abc import ABC, abstractmethod
from typing import Any, List, Optional

import torch
from allennlp.common import Registrable

from ..networks import Network, at_least_single
from ..output_spaces import OutputSpace
from .structured_scores import StructuredScore


class ScoreNetwork(Network, Registrable, ABC):
    """s(x, y) = Σ_p ⟨y_p, u_p(x)⟩ + Σ_k s_k(y): a local term and structured scores.

    The score is minus the energy: higher is better. What it needs of x, the potentials u(x), is
    computed once for all samples of a call and, while the network is frozen, once for all calls
    with the same x. Differentiable in y and in the weights.
    """

    def __init__(self, output_space: OutputSpace, structured_scores: List[StructuredScore]) -> None:
        super().__init__()
        self.output_space = output_space
        self.structured_scores = torch.nn.ModuleList(structured_scores)

    @abstractmethod
    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """The encoding of x, by default u(x)."""

    def potentials(self, encoding: torch.Tensor) -> torch.Tensor:
        """u(x) `(batch, *event_shape)` in an encoding that holds more."""
        return encoding

    def compile_parts(self) -> None:
        super().compile_parts()
        self.score = torch.compile(self.score)  # type: ignore[method-assign]

    def encode(self, x: Any, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """u(x) `(batch, *event_shape)`, as `forward` uses it: computed once while frozen."""
        return self.potentials(self._encoding(x, mask))

    def forward(self, x: Any, y: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Return the scores `(batch, num_samples)` of y `(batch, num_samples, *event_shape)`.

        # Raises

        `ValueError` if y does not fit the potentials of x, or `score` returned another shape.
        """
        scores = self.score(self._encoding(x, mask), y, mask)
        if scores.shape != y.shape[:2]:
            raise ValueError(
                f"Expected {type(self).__name__}.score to return (batch, num_samples) = "
                f"{tuple(y.shape[:2])}, got {tuple(scores.shape)}."
            )
        return at_least_single(scores)

    def score(
        self, encoding: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """The scores of y with the encoding of x."""
        potentials = self.potentials(encoding)
        if y.shape[:1] + y.shape[2:] != potentials.shape:
            raise ValueError(
                "Expected y of shape (batch, num_samples, *event_shape) = "
                f"({', '.join(map(str, (*potentials.shape[:1], 'any', *potentials.shape[1:])))}), "
                f"by the potentials {tuple(potentials.shape)} of {type(self).__name__}, got "
                f"{tuple(y.shape)}."
            )
        terms = [structured_score(y, mask) for structured_score in self.structured_scores]
        # Last, so that its gradient in y is there first and the others are added to it in place.
        local = self.output_space.position_dot(y, potentials.unsqueeze(1))
        return sum(terms, start=self.output_space.sum_positions(local, mask))
