"""The likelihood of the best among candidates."""

from typing import Any, Optional

import torch

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("candidate-likelihood")
class CandidateLikelihoodLoss(ScoreNetworkLoss):
    """−log Σ_{k ∈ N} exp s(x, y_k) / Σ_k exp s(x, y_k) over the proposals y_k, where N are those
    nearest to the truth: maximum-entropy reranking (Charniak & Johnson 2005, section 5).

    The truth itself is no candidate. Were it one where the sampler cannot propose it, the score
    would learn to tell proposals from outputs that are none. The proposals are constants. The
    logged `coverage` is the share of instances whose truth is among them; where it is small, the
    score learns little about true outputs.
    """

    logged_means = ("nearest_score", "accuracy", "coverage")

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
        y = sample.y.detach()
        scores = self.score_network(x, y, mask)
        distance = self.output_space.distance(y, truth, mask)
        least = distance.amin(1, keepdim=True)
        is_nearest = distance <= least + 1e-6
        nearest = scores.masked_fill(~is_nearest, -torch.inf).logsumexp(1, keepdim=True)
        self.log("nearest_score", scores.masked_fill(~is_nearest, -torch.inf).amax(1))
        self.log("accuracy", is_nearest.gather(1, scores.argmax(1, keepdim=True)))
        self.log("coverage", least <= 1e-6)
        return scores.logsumexp(1, keepdim=True) - nearest
