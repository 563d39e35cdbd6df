"""Categorical outputs: sequences of tags."""

from typing import Any, List, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.functional import log_softmax, one_hot

from ..vocabulary import names
from .output_space import EDGE, OutputSpace


@OutputSpace.register("categorical")
class CategoricalOutputSpace(OutputSpace):
    """Y = {e_1, …, e_K}^positions, relaxed to a product of simplices; the last dimension, of size
    K, is one position, such as the tag of a token.

    # Parameters

    namespace : `str`
        The namespace of the vocabulary with the K values.

    # Raises

    `ConfigurationError` for fewer than 2 values.
    """

    def __init__(self, vocab: Vocabulary, namespace: str = "labels") -> None:
        self.num_values = len(names(vocab, namespace))
        if self.num_values < 2:
            raise ConfigurationError(
                "Expected at least 2 values of a categorical output, got "
                f"{self.num_values} in the vocabulary's namespace '{namespace}'; check the "
                "namespace, and that the training data have labels."
            )

    def logits_size(self, position_dims: int, num_labels: int) -> Optional[int]:
        if position_dims == 0:
            raise ConfigurationError(
                "Expected an encoder of tokens or pixels for the output space 'categorical', which "
                "has a value at each of them, got one vector for an instance."
            )
        return self.num_values

    def normalize(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.softmax(-1)

    def logits_of(self, y: torch.Tensor) -> torch.Tensor:
        return y.clamp(min=EDGE).log()

    def smooth(self, y: torch.Tensor, amount: float) -> torch.Tensor:
        on_edge = y.amin(-1, keepdim=True) < EDGE
        return torch.where(on_edge, y + amount * (1 / self.num_values - y), y)

    def center(self, gradient: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return gradient - self.position_dot(y, gradient).unsqueeze(-1)

    def project(self, y: torch.Tensor) -> torch.Tensor:
        """Return max(y − τ, 0) with the τ that makes it sum to 1, found by sorting (Held, Wolfe &
        Crowder 1974; Duchi et al. 2008, figure 1)."""
        # The projection of y + c is that of y. With the maximum at 0, τ is in [−1, 0): no sum
        # rounds away the 1, and entries below −1, here at most −2, end at 0.
        exact = y.to(torch.promote_types(y.dtype, torch.float32))
        shifted = (exact - exact.detach().amax(-1, keepdim=True)).clamp(min=-2.0)
        ordered = shifted.sort(dim=-1, descending=True).values
        count = torch.arange(1, y.shape[-1] + 1, dtype=exact.dtype, device=y.device)
        excess = (ordered.cumsum(-1) - 1) / count  # τ, if the `count` largest entries stay
        # No comparison with NaN is true: a position with NaN or ∞ has 0 here, and becomes NaN.
        stay = (ordered > excess).sum(-1, keepdim=True).clamp(min=1)
        return (shifted - excess.gather(-1, stay - 1)).clamp(min=0.0).to(y.dtype)

    def contains(self, y: torch.Tensor, tolerance: float = 1e-5) -> bool:
        return bool((y >= -tolerance).all() and ((y.sum(-1) - 1).abs() <= tolerance).all())

    def encode(self, labels: torch.Tensor, dtype: Optional[torch.dtype] = None) -> torch.Tensor:
        encoded = one_hot(labels.unsqueeze(1).long(), self.num_values)
        return encoded.to(dtype or torch.get_default_dtype())

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Return the most probable value of each position, the first of equal ones."""
        return y.argmax(-1)

    def readable(
        self,
        labels: torch.Tensor,
        probabilities: torch.Tensor,
        names: List[str],
        mask: Optional[torch.Tensor] = None,
    ) -> List[Any]:
        """Return the names of the tags of the real positions."""
        real = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
        rows = zip(labels, real, strict=True)
        return [[names[value] for value in row[kept].tolist()] for row, kept in rows]

    def sample(
        self, logits: torch.Tensor, num_samples: int, temperature: Optional[float] = None
    ) -> torch.Tensor:
        shape = (-1, num_samples, *logits.shape[1:])
        noisy = logits.unsqueeze(1).expand(shape)
        smallest = max(1e-30, torch.finfo(noisy.dtype).tiny)  # half precision has no 1e-30
        noisy = noisy - torch.empty_like(noisy).exponential_().clamp(min=smallest).log()
        if temperature is None:  # the Gumbel-max trick
            return one_hot(noisy.argmax(-1), self.num_values).to(logits.dtype)
        return (noisy / temperature).softmax(-1)

    def draw_at(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        below = logits.softmax(-1).cumsum(-1)[..., :-1].unsqueeze(1)
        values = (uniform.to(below).unsqueeze(-1) >= below).sum(-1)
        return one_hot(values, self.num_values).to(logits.dtype)

    def position_shape(self, event_shape: Tuple[int, ...]) -> Tuple[int, ...]:
        return event_shape[:-1]

    def random(self, like: torch.Tensor) -> torch.Tensor:
        exponential = torch.empty_like(like).exponential_()
        return exponential / exponential.sum(-1, keepdim=True)

    def perturb(self, y: torch.Tensor, rate: Union[float, torch.Tensor]) -> torch.Tensor:
        redrawn = torch.rand_like(y[..., :1]) < rate
        values = torch.randint(self.num_values, y.shape[:-1], device=y.device)
        return torch.where(redrawn, one_hot(values, self.num_values).to(y.dtype), y)

    def move_changes(
        self, y: torch.Tensor, gradient: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        # Move i gives position i // K the value i % K.
        changes = self.center(gradient, y).masked_fill(y > 0.5, -torch.inf)
        if mask is not None:
            changes = changes.masked_fill(~mask.unsqueeze(1).unsqueeze(-1), -torch.inf)
        return changes.flatten(2)

    def move(self, y: torch.Tensor, index: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        values = y.argmax(-1).flatten(2)
        position = (index // self.num_values).unsqueeze(2)
        before = values.gather(2, position)
        moved = values.scatter(2, position, (index % self.num_values).unsqueeze(2))
        back = (position * self.num_values + before).squeeze(2)
        return one_hot(moved, self.num_values).to(y.dtype).view_as(y), back

    def neighbours(self, y: torch.Tensor) -> torch.Tensor:
        values = y.argmax(-1).flatten(1)
        positions = values.shape[1]
        step = torch.arange(1, self.num_values, device=y.device).view(-1, 1)
        turn = torch.eye(positions, dtype=torch.long, device=y.device).unsqueeze(1)
        # (batch, num_positions, K − 1, num_positions): one position moved on by 1 … K − 1 values.
        moved = (values[:, None, None] + step * turn) % self.num_values
        turned = one_hot(moved, self.num_values).to(y.dtype)
        return turned.view(len(y), positions, self.num_values - 1, *y.shape[1:])

    def position_log_uniform(self, logits: torch.Tensor) -> torch.Tensor:
        # Π y_k for the differences of logits, which decide y, and a normal density for their mean,
        # which does not.
        size = logits.shape[-1]
        return log_softmax(logits, -1).sum(-1) - size * logits.mean(-1).square() / 2

    def position_log_prob(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.position_dot(y, log_softmax(logits, -1))

    def position_distance(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return the total variation of each position."""
        return (y - other).abs().sum(-1) / 2

    def position_dot(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (y * other).sum(-1)

    def position_mass(self, y: torch.Tensor) -> torch.Tensor:
        return y.sum(-1)

    def label_mass(
        self, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        real = y if mask is None else y.masked_fill(~mask.unsqueeze(1).unsqueeze(-1), 0.0)
        return real.flatten(0, -2).sum(0)

    def confusion(
        self, truth: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        truth, y = self.zero_padding(truth, mask), self.zero_padding(y, mask)
        return truth.flatten(0, -2).T @ y.flatten(0, -2)

    def position_weight(self, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the weight of the value of each position."""
        return self.position_dot(y, weights.expand(self.num_values))

    def balanced_weights(self, positives: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """Return the number of positions over K times those with the value, as scikit-learn's
        `class_weight='balanced'`."""
        balanced = total / (self.num_values * positives.clamp(min=1.0))
        return torch.where(positives > 0, balanced, 1.0)
