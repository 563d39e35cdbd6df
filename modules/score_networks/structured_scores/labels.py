"""Terms over sets of labels with few weights, which data of a few thousand instances determine."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ...output_spaces import OutputSpace
from .conditional import check_positive, instance_vectors
from .structured_score import StructuredScore, label_rows


@StructuredScore.register("scaled-logits")
class ScaledLogitsScore(StructuredScore):
    """s(y, h) = Σ_i y_i (a h_i + b_i), for an encoder whose vectors are logits of the labels.

    With `{type: 'task-network', output: 'logits'}` as encoder, without a local term, the score is
    the log-probability of the task network, calibrated by the scale a and the shifts b, plus the
    other terms. Initially a = 1 and b = 0.

    # Raises

    `ConfigurationError` for an encoding that has not the size of the logits.
    """

    def __init__(self, num_labels: int, encoding_size: int) -> None:
        super().__init__()
        if encoding_size != num_labels:
            raise ConfigurationError(
                f"Expected an encoder of {num_labels} logits for the structured score "
                f"'scaled-logits', got vectors of size {encoding_size}; use the encoder "
                "{type: 'task-network', output: 'logits'}."
            )
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.shifts = torch.nn.Parameter(torch.zeros(num_labels))

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        return self.scale * instance_vectors(self, h) + self.shifts

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        return (label_rows(self, y, mask) @ h.unsqueeze(2)).squeeze(2)


@StructuredScore.register("pairwise")
class PairwiseScore(StructuredScore):
    """s(y) = Σ_{i<j} W_ij y_i y_j: how well each pair of labels fits (an Ising model; Ghamrawi &
    McCallum 2005). Initially W = 0.

    # Raises

    `ValueError` for outputs that are not rows of labels.
    """

    def __init__(self, num_labels: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(num_labels, num_labels))

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        y = label_rows(self, y, mask)
        weight = self.weight.triu(1)
        if not y.requires_grad:
            on = (y != 0).any(1)
            most = int(on.sum(1).max()) if on.numel() else 0
            if 2 * most < on.shape[1]:  # only the labels that are on somewhere in an instance
                places = on.to(torch.uint8).topk(most, dim=1).indices.sort(1).values
                y = y.gather(2, places.unsqueeze(1).expand(-1, y.shape[1], -1))
                weight = weight[places.unsqueeze(2), places.unsqueeze(1)]
        return ((y @ weight) * y).sum(2)


@StructuredScore.register("cardinality")
class CardinalityScore(StructuredScore):
    """s(y, h) = e_n + ⟨c_n, t⟩ with n = min(|y|, largest): a potential of the number of labels that
    are on, which depends on t, the `num_highest` highest entries of h.

    Of a relaxed y, |y| = Σ_i y_i, and the potential is interpolated linearly.

    # Parameters

    largest : `int`
        The number of labels from which on the potential is the same.
    num_highest : `int`
        The size of t; 0 for a potential that does not depend on x.

    # Raises

    `ValueError` for outputs that are not rows of labels, and for an encoding of tokens or pixels.
    """

    sums_positions = False

    def __init__(
        self,
        num_labels: int,
        encoding_size: int,
        output_space: OutputSpace,
        largest: int = 10,
        num_highest: int = 0,
    ) -> None:
        super().__init__()
        check_positive("cardinality", "largest", largest)
        if not 0 <= num_highest <= encoding_size:
            raise ConfigurationError(
                f"Expected num_highest among 0 … {encoding_size}, the size of the encoding, in the "
                f"structured score 'cardinality', got {num_highest}."
            )
        self.largest = min(largest, num_labels)
        self.num_highest = num_highest
        self.potentials = torch.nn.Parameter(torch.zeros(self.largest + 1, num_highest + 1))

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        highest = instance_vectors(self, h).topk(self.num_highest, dim=1).values
        return torch.nn.functional.linear(highest, self.potentials[:, 1:], self.potentials[:, 0])

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        size = label_rows(self, y, mask).sum(2)
        places = torch.arange(self.largest, device=y.device, dtype=y.dtype)
        # How much of each step from n to n + 1 is taken: the clamped part of a number, not of y.
        taken = (size.unsqueeze(2) - places).maximum(size.new_zeros(())).minimum(size.new_ones(()))
        return h[:, :1] + (taken * h.diff(dim=1).unsqueeze(1)).sum(2)
