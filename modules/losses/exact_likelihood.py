"""The exact likelihood of linear chains (conditional random fields)."""

from typing import Any, Optional

import torch

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, chain_of, check_chain
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("exact-likelihood")
class ExactLikelihoodLoss(ScoreNetworkLoss):
    """−log p(y* | x), with p(y | x) ∝ exp s(x, y) over all sequences of tags (Lafferty et al.
    2001); one value for each instance. It does not use the samples. Only the score network receives
    a gradient.

    # Raises

    `ConfigurationError` for a score network that is not a linear chain.
    """

    logged_means = ("ground_truth_score", "log_partition")

    def __init__(
        self,
        score_network: ScoreNetwork,
        output_space: OutputSpace,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        check_chain(score_network)
        super().__init__(score_network, reduction, log_key)
        self.output_space = output_space

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        log_partition = chain_of(self.score_network, x, mask).log_partition().unsqueeze(1)
        score = self.score_network(x, truth, mask)
        self.log("ground_truth_score", score)
        self.log("log_partition", log_partition)
        return log_partition - score
