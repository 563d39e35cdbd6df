"""The exact likelihood of linear chains: conditional random fields."""

from typing import Any, Optional

import torch

from ..logging import LoggedMean
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, chain_of, check_chain
from .loss import Loss, Reduction


@Loss.register("exact-likelihood")
class ExactLikelihoodLoss(Loss):
    """−log p(y* | x), with p(y | x) ∝ exp s(x, y) over all sequences of tags (Lafferty et al.
    2001); one value for each instance, whatever the samples. The gradient goes to the score
    network.

    # Raises

    `ConfigurationError` for a score network that is no linear chain.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        score_network: ScoreNetwork,
        output_space: OutputSpace,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        check_chain(score_network)
        self.score_network = score_network
        self.output_space = output_space
        for key in ("ground_truth_score", "log_partition"):
            self.logging_buffer[key] = LoggedMean()

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        log_partition = chain_of(self.score_network, x, mask).log_partition().unsqueeze(1)
        score = self.score_network(x, truth, mask)
        self.log("ground_truth_score", score)
        self.log("log_partition", log_partition)
        return log_partition - score
