"""The base of output spaces."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, List, Optional, Tuple, Union

import torch
from allennlp.common import Registrable

from .positions import Positions

EDGE = 1e-6
"""A relaxed y is at the edge of the relaxation where one of its values has less than this."""


class OutputSpace(Positions, Registrable, ABC):
    """The set Y of outputs y and its relaxation; everything that depends on the task is here.

    An output has shape `(batch, num_samples, *event_shape)`. A position is one decision: an
    entry in `binary`, a vector along the last dimension in `categorical`. A mask is bool of shape
    `(batch, *position_shape)`; `None` means that all positions are real.
    """

    is_binary: ClassVar[bool] = False
    """Whether each entry of an output is 0 or 1."""
    kind: ClassVar[str] = "tags"
    """`"sets"`, `"tags"` or `"trees"`, which decides the metrics (`StructuredMetric.kinds`)."""
    separable: ClassVar[bool] = False
    """Whether `project` works entry by entry: it keeps fixed points of steps of other scales."""
    independent: ClassVar[bool] = True
    """Whether a position may have any value, whatever the others have."""

    @abstractmethod
    def logits_size(self, position_dims: int, num_labels: int) -> Optional[int]:
        """Return the size of the logits of one vector h that encodes an instance (`position_dims`
        0), a token (1) or a pixel (2); `None` for one logit without a dimension.

        # Raises

        `ConfigurationError` where outputs of this space have no such positions.
        """

    projection: ClassVar[str] = "linear"
    """The registered name of the projection from encodings to logits."""

    def zeros(
        self, h: torch.Tensor, size: Optional[int], mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return logits of 0 `(batch, *event_shape)` for encodings h `(batch, …, encoding_size)`
        whose `logits_size` is `size`."""
        return h.new_zeros(*h.shape[:-1], *(() if size is None else (size,)))

    def zeros_like(self, logits: torch.Tensor) -> torch.Tensor:
        """Return logits of 0 for the inputs of other logits or outputs."""
        return torch.zeros_like(logits)

    def with_mask(self, logits: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return logits `(..., *event_shape)` that say which positions a mask leaves out, where
        that limits the values of others; by default the same."""
        return logits

    @abstractmethod
    def normalize(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the relaxed y of logits of any shape `(..., *event_shape)`; differentiable."""

    def means(self, logits: torch.Tensor) -> torch.Tensor:
        """Return E[y] of the discrete draws of `sample`, by default `normalize(logits)`."""
        return self.normalize(logits)

    @abstractmethod
    def logits_of(self, y: torch.Tensor) -> torch.Tensor:
        """Return logits that normalise to a relaxed y; those of an output at the edge normalise to
        a point `EDGE` inside, so that they are finite."""

    @abstractmethod
    def smooth(self, y: torch.Tensor, amount: float) -> torch.Tensor:
        """Mix `amount` of the uniform distribution into each position at the edge of the
        relaxation, and keep the others.

        At the edge the gradient in the logits vanishes, so an update of the logits stays there.
        """

    @abstractmethod
    def center(self, gradient: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the gradient at a relaxed y without its part that no feasible step follows: on a
        simplex less its mean under y. It is 0 at every value in use of an optimum."""

    def step_in_logits(self, gradient: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the direction of mirror descent in logits, along a gradient at their relaxed y:
        the natural gradient, by default the gradient itself."""
        return gradient

    @abstractmethod
    def project(self, y: torch.Tensor) -> torch.Tensor:
        """Return the nearest feasible (relaxed) point in Euclidean distance, accurate for y of any
        magnitude; NaN in a position makes that position NaN."""

    @abstractmethod
    def contains(self, y: torch.Tensor, tolerance: float = 1e-5) -> bool:
        """Return whether every y is feasible, up to `tolerance`."""

    @abstractmethod
    def encode(self, labels: torch.Tensor, dtype: Optional[torch.dtype] = None) -> torch.Tensor:
        """Return labels `(batch, ...)` as y `(batch, 1, *event_shape)`, by default in the default
        dtype of torch."""

    @abstractmethod
    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Return the discrete labels nearest to relaxed y, without the dimensions of encoding."""

    @abstractmethod
    def readable(
        self,
        labels: torch.Tensor,
        probabilities: torch.Tensor,
        names: List[str],
        mask: Optional[torch.Tensor] = None,
    ) -> List[Any]:
        """Return a readable output for each instance, ready for JSON: of labels in the form that
        readers yield, and of probabilities `(batch, *event_shape)`."""

    @abstractmethod
    def sample(
        self, logits: torch.Tensor, num_samples: int, temperature: Optional[float] = None
    ) -> torch.Tensor:
        """Draw outputs `(batch, num_samples, *event_shape)` from logits `(batch, *event_shape)`:
        discrete ones, or with a temperature relaxed ones (Gumbel, differentiable)."""

    @abstractmethod
    def draw_at(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        """Return the discrete outputs `(batch, num_samples, *event_shape)` at uniform numbers
        `(num_samples, *position_shape)`, which all instances share: the inverse distribution
        function of each position of logits `(batch, *event_shape)`. An output depends on its
        instance and its numbers only."""

    @abstractmethod
    def position_shape(self, event_shape: Tuple[int, ...]) -> Tuple[int, ...]:
        """Return the shape of the positions of outputs of an event shape."""

    @abstractmethod
    def random(self, like: torch.Tensor) -> torch.Tensor:
        """Draw uniform relaxed outputs of the shape, dtype and device of `like`."""

    @abstractmethod
    def perturb(self, y: torch.Tensor, rate: Union[float, torch.Tensor]) -> torch.Tensor:
        """Redraw each position of a discrete y uniformly with probability `rate`; a tensor `rate`
        broadcasts to y and is constant within a position."""

    @abstractmethod
    def move_changes(
        self, y: torch.Tensor, gradient: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """Return the first-order change of a function, given its gradient at a discrete y, by each
        move of one position: `(batch, num_samples, num_moves)`, −∞ for moves that change nothing or
        a masked position."""

    @abstractmethod
    def move(self, y: torch.Tensor, index: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the discrete y after the moves `index` `(batch, num_samples)`, and the indices of
        the moves back."""

    @abstractmethod
    def neighbours(self, y: torch.Tensor) -> torch.Tensor:
        """Return the discrete outputs that differ from y `(batch, *event_shape)` in one position:
        `(batch, num_positions, num_values − 1, *event_shape)`."""

    @abstractmethod
    def position_log_uniform(self, logits: torch.Tensor) -> torch.Tensor:
        """Return log r of each position, with r the density of logits whose y is uniform over the
        relaxation."""

    @abstractmethod
    def label_mass(
        self, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        """Return the mass of each label `(num_labels,)`, summed over outputs and real positions;
        `None` for outputs without a dimension of labels, such as binary images."""

    def confusion(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        """Return how often each value is true and each is that of y, at real positions,
        `(num_values, num_values)`; by default `None`, without values that exclude each other."""
        return None

    @abstractmethod
    def position_weight(self, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the weight of each position of a discrete y, given a weight for each label
        `(num_labels,)`, or one for all, `()`."""

    @abstractmethod
    def balanced_weights(self, positives: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """Return the weights of labels under which rare ones count as much as frequent ones, given
        how often each is on and at how many positions it is known; 1 where there is no choice."""

    def existing_positions(self, mask: Optional[torch.Tensor]) -> Optional[torch.Tensor]:
        """Return the part of a mask that a prediction depends on: the positions that exist in x,
        by default all of the mask. Labels exist even where the truth is unknown."""
        return mask

    def known(
        self, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
        """Return labels in the form that readers yield, 0 where the mask is false, and the mask;
        both with what the known labels imply."""
        return (labels if mask is None else labels.masked_fill(~mask, 0)), mask

    def complete(self, labels: torch.Tensor) -> torch.Tensor:
        """Return decoded labels as an output, which a rule for each position by itself may miss; by
        default they are one."""
        return labels

    def complete_measure(self, measure: torch.Tensor) -> torch.Tensor:
        """Return the measure that exceeds any cutoff at the labels that are `complete` of those
        where this one does."""
        return measure

    def details(self, labels: torch.Tensor) -> Dict[str, List[Any]]:
        """Return what a readable prediction says beside its labels, by name, for each instance."""
        return {}

    def nearest_corner(self, y: torch.Tensor) -> torch.Tensor:
        """Return the discrete output nearest to a relaxed y, shaped like it."""
        return self.encode(self.decode(y.flatten(0, 1)), y.dtype).view_as(y)

    def cut(self, values: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return values `event_shape` without those of padding; `real` is the mask."""
        return values[real]
