"""Contrastive divergence: the truth against samples of a Markov chain."""

from typing import Any, Optional

import torch

from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("contrastive-divergence")
class ContrastiveDivergenceLoss(ScoreNetworkLoss):
    """s(x, y_k) − s(x, y*) + α (s(x, y_k)² + s(x, y*)²) for each sample y_k of the model's
    distribution, drawn by `langevin` or `gibbs-with-gradients`.

    With α = 0 and exact samples, the expected gradient is that of −log p(y* | x); a short chain
    approximates it. A chain that starts at the truth (`truth_rate: 1`) gives contrastive divergence
    (Hinton 2002), and a buffer of past samples (`buffer_size`) persistent contrastive divergence
    (Tieleman 2008). `langevin` samples relaxed outputs, which never reach a corner, so that the
    learned scores are steeper than with `gibbs-with-gradients`. The value does not measure
    progress. The samples are constants: only the score network receives a gradient.

    # Parameters

    score_penalty : `float`
        α, which keeps the scores near zero (Du & Mordatch 2019, section 3.3).
    """

    logged_means = ("ground_truth_score", "sample_score")

    def __init__(
        self,
        score_network: ScoreNetwork,
        score_penalty: float = 0.0,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        self.score_penalty = score_penalty

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        scores = self.score_network(x, torch.cat([truth, sample.y.detach()], dim=1), mask)
        truth_score, sample_score = scores[:, :1], scores[:, 1:]
        self.log("ground_truth_score", truth_score)
        self.log("sample_score", sample_score)
        penalty = self.score_penalty * (sample_score**2 + truth_score**2)
        return sample_score - truth_score + penalty
