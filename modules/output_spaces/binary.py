"""Binary outputs: sets of labels, pixels."""

from typing import Any, List, Optional, Tuple, Union

import torch
from torch.nn.functional import logsigmoid, softplus

from ..random_bits import bernoulli, draws_few_bits
from .output_space import EDGE, OutputSpace


@OutputSpace.register("binary")
class BinaryOutputSpace(OutputSpace):
    """Y = {0, 1}^event_shape, relaxed to the cube [0, 1]^event_shape; every entry is a position.

    >>> space = BinaryOutputSpace()
    >>> space.normalize(torch.tensor([0.0])).item()
    0.5
    >>> space.project(torch.tensor([-0.5, 0.25, 3.0])).tolist()
    [0.0, 0.25, 1.0]
    """

    is_binary = True
    kind = "sets"
    separable = True

    def logits_size(self, position_dims: int, num_labels: int) -> Optional[int]:
        # The vector of an instance has a logit for each label, that of a token or pixel only one.
        return num_labels if position_dims == 0 else None

    def normalize(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(logits)

    def logits_of(self, y: torch.Tensor) -> torch.Tensor:
        return torch.logit(y, eps=max(EDGE, torch.finfo(y.dtype).eps))

    def smooth(self, y: torch.Tensor, amount: float) -> torch.Tensor:
        on_edge = torch.minimum(y, 1 - y) < EDGE
        return torch.where(on_edge, y + amount * (0.5 - y), y)

    def center(self, gradient: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return gradient

    def project(self, y: torch.Tensor) -> torch.Tensor:
        return y.clamp(0.0, 1.0)

    def contains(self, y: torch.Tensor, tolerance: float = 1e-5) -> bool:
        return bool(((y >= -tolerance) & (y <= 1 + tolerance)).all())

    def encode(self, labels: torch.Tensor, dtype: Optional[torch.dtype] = None) -> torch.Tensor:
        return labels.unsqueeze(1).to(dtype or torch.get_default_dtype())

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        return y > 0.5

    def existing_positions(self, mask: Optional[torch.Tensor]) -> Optional[torch.Tensor]:
        """Return `None`: labels and pixels all exist; a mask says which of them are known."""
        return None

    def readable(
        self,
        labels: torch.Tensor,
        probabilities: torch.Tensor,
        names: List[str],
        mask: Optional[torch.Tensor] = None,
    ) -> List[Any]:
        """Return the names of the predicted labels with their probabilities; for images the rows of
        pixels, 1 where the object is."""
        if labels.dim() > 2:
            return labels.int().tolist()
        return [
            {names[i]: float(row[i]) for i in chosen.nonzero().flatten().tolist()}
            for row, chosen in zip(probabilities, labels, strict=True)
        ]

    def sample(
        self, logits: torch.Tensor, num_samples: int, temperature: Optional[float] = None
    ) -> torch.Tensor:
        shape = (-1, num_samples, *logits.shape[1:])
        if temperature is None:
            probabilities = torch.sigmoid(logits.detach())
            if draws_few_bits(probabilities, num_samples):
                return bernoulli(probabilities, num_samples)
            probabilities = probabilities.unsqueeze(1).expand(shape)
            single = torch.promote_types(logits.dtype, torch.float32)
            uniform = torch.rand(probabilities.shape, dtype=single, device=logits.device)
            return (uniform < probabilities).to(logits.dtype)
        logits = logits.unsqueeze(1).expand(shape)
        uniform = torch.rand_like(logits).clamp(1e-6, 1 - 1e-6)
        return torch.sigmoid((logits + torch.logit(uniform)) / temperature)

    def draw_at(self, logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        probabilities = torch.sigmoid(logits).unsqueeze(1)
        return (uniform.to(probabilities) < probabilities).to(logits.dtype)

    def position_shape(self, event_shape: Tuple[int, ...]) -> Tuple[int, ...]:
        return event_shape

    def random(self, like: torch.Tensor) -> torch.Tensor:
        return torch.rand_like(like)

    def perturb(self, y: torch.Tensor, rate: Union[float, torch.Tensor]) -> torch.Tensor:
        redrawn = torch.rand_like(y) < rate
        return torch.where(redrawn, (torch.rand_like(y) < 0.5).to(y.dtype), y)

    def move_changes(
        self, y: torch.Tensor, gradient: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        changes = (1 - 2 * y) * gradient  # move i flips entry i
        if mask is not None:
            changes = changes.masked_fill(~mask.unsqueeze(1), -torch.inf)
        return changes.flatten(2)

    def move(self, y: torch.Tensor, index: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        flat = y.flatten(2)
        flipped = 1 - flat.gather(2, index.unsqueeze(2))
        return flat.scatter(2, index.unsqueeze(2), flipped).view_as(y), index

    def neighbours(self, y: torch.Tensor) -> torch.Tensor:
        flat = y.flatten(1)
        flip = torch.eye(flat.shape[1], dtype=y.dtype, device=y.device)
        flipped = (flat.unsqueeze(1) - flip).abs()
        return flipped.view(len(y), flat.shape[1], 1, *y.shape[1:])

    def position_log_uniform(self, logits: torch.Tensor) -> torch.Tensor:
        return logsigmoid(logits) + logsigmoid(-logits)

    def position_log_prob(self, logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        # log σ(l)·y + log σ(−l)·(1 − y), in the form that is finite for any finite logit. Above 40,
        # log(1 + exp l) is l in double precision too.
        return torch.addcmul(-softplus(logits, threshold=40), y, logits)

    def log_probs(
        self, logits: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        total = self.sum_positions(softplus(logits, threshold=40), mask)
        return self.shared_mass(y, self.zero_padding(logits, mask), mask) - total.unsqueeze(1)

    def position_distance(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return (y - other).abs()

    def position_dot(self, y: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return y * other

    def position_mass(self, y: torch.Tensor) -> torch.Tensor:
        return y

    def label_mass(
        self, y: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Optional[torch.Tensor]:
        if y.dim() != 3:  # pixels
            return None
        return (y if mask is None else y.masked_fill(~mask.unsqueeze(1), 0.0)).sum((0, 1))

    def position_weight(self, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return the weight of the label where y is 1, and 1 where it is 0."""
        return 1 + (weights - 1) * y

    def balanced_weights(self, positives: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """Return the number of negatives for each positive."""
        varies = (positives > 0) & (positives < total)
        return torch.where(varies, (total - positives) / positives.clamp(min=1.0), 1.0)
