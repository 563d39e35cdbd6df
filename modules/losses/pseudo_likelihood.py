"""The likelihood of each position conditional on all others."""

from typing import Any, Optional

import torch

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("pseudo-likelihood")
class PseudoLikelihoodLoss(ScoreNetworkLoss):
    """−Σ_p log p(y*_p | y*_−p, x), with p(y_p = a | y_−p, x) ∝ exp s(x, y with y_p = a) (Besag
    1975), summed over real positions; one value for each instance.

    It does not use the samples. The score network scores the truth and each output that differs
    from it in one position, in one call, so that the cost grows with positions × values. Only the
    score network receives a gradient.
    """

    logged_means = ("ground_truth_score", "accuracy")

    def __init__(
        self,
        score_network: ScoreNetwork,
        output_space: OutputSpace,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        self.output_space = output_space

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        truth = self.output_space.zero_padding(truth, mask)
        # (batch, num_positions, num_values − 1, *event_shape): they differ in one position.
        neighbours = self.output_space.neighbours(truth[:, 0])
        outputs = torch.cat([truth, neighbours.flatten(1, 2)], dim=1)
        scores = self.score_network(x, outputs, mask)
        truth_score = scores[:, :1]
        # Where a position has no other value, its neighbour is the truth itself.
        same = (neighbours == truth.unsqueeze(2)).flatten(3).all(3)
        others = scores[:, 1:].view(neighbours.shape[:3]).masked_fill(same, -torch.inf)
        conditional = torch.cat([truth_score.unsqueeze(2).expand_as(others[:, :, :1]), others], 2)
        loss = conditional.logsumexp(dim=2) - truth_score  # (batch, num_positions)
        right = (truth_score > others.amax(dim=2)).to(loss.dtype)
        if mask is not None:
            real = mask.flatten(1)
            loss = loss.masked_fill(~real, 0.0)
            self.log("accuracy", right[real])
        else:
            self.log("accuracy", right)
        self.log("ground_truth_score", truth_score)
        return loss.sum(dim=1, keepdim=True)
