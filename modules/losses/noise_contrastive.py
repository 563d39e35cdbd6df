"""Noise-contrastive estimation: the truth against draws."""

import math
from abc import abstractmethod
from typing import Any, Optional

import torch
from torch.nn.functional import softplus

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


class NoiseContrastiveLoss(ScoreNetworkLoss):
    """The base of losses that distinguish the true output from K draws y_k of a distribution q.

    They compare f(y) = s(x, y) − log q(y | x), or only s(x, y) if `correct_for_proposal` is false.
    Draws and their probabilities are constants: only the score network receives a gradient.

    # Parameters

    correct_for_proposal : `bool`
        Whether to subtract log q, so that the optimal s is the log-probability of y given x.

    # Raises

    `ValueError` if the sampler returns no log-probabilities, or no logits for log q of the truth.
    """

    logged_means = ("ground_truth_score", "draw_score", "accuracy")

    def __init__(
        self,
        score_network: ScoreNetwork,
        output_space: OutputSpace,
        correct_for_proposal: bool = True,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        self.output_space = output_space
        self.correct_for_proposal = correct_for_proposal

    @abstractmethod
    def contrast(self, f: torch.Tensor) -> torch.Tensor:
        """Return the loss, `(batch, 1)`, given f of the truth, which is first, and of the draws,
        `(batch, 1 + K)`."""

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        f = self.score_network(x, torch.cat([truth, sample.y.detach()], dim=1), mask)
        scores = f.detach()
        self.log("ground_truth_score", scores[:, :1])
        self.log("draw_score", scores[:, 1:])
        if self.correct_for_proposal:
            if sample.log_prob is None or sample.logits is None:
                raise ValueError(
                    f"Expected a sampler that returns logits and log-probabilities for the loss "
                    f"{type(self).__name__}, got one without; use 'network-draws', or set "
                    "correct_for_proposal: false."
                )
            logits = sample.logits[:, :1].detach()
            of_truth = self.output_space.log_prob(logits, truth, mask)
            f = f - torch.cat([of_truth, sample.log_prob.detach()], dim=1)
        if self.is_logging:
            values = f.detach()
            self.log("accuracy", values[:, :1] > values[:, 1:].amax(dim=1, keepdim=True))
        return self.contrast(f)


@Loss.register("nce-ranking")
class RankingNoiseContrastiveLoss(NoiseContrastiveLoss):
    """−log exp f(y*) / (exp f(y*) + Σ_k exp f(y_k)) (Ma & Collins 2018, equation 4; Lee et al.
    2022), with f(y) = s(x, y) − log q(y | x) for draws y_k of q."""

    def contrast(self, f: torch.Tensor) -> torch.Tensor:
        return f.logsumexp(dim=1, keepdim=True) - f[:, :1]


@Loss.register("nce-binary")
class BinaryNoiseContrastiveLoss(NoiseContrastiveLoss):
    """log(1 + exp(−g(y*))) + Σ_k log(1 + exp g(y_k)) (Gutmann & Hyvärinen 2010; Ma & Collins 2018,
    equation 2), with g(y) = s(x, y) − log q(y | x) − log K for K draws y_k of q."""

    def contrast(self, f: torch.Tensor) -> torch.Tensor:
        g = f - math.log(f.shape[1] - 1)
        return softplus(-g[:, :1]) + softplus(g[:, 1:]).sum(dim=1, keepdim=True)
