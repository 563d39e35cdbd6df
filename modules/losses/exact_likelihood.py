"""The exact likelihood of conditional random fields: linear chains, trees of labels, and arcs."""

from typing import Any, Optional

import torch

from ..encoded import Encoded
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, exact_inference
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("exact-likelihood")
class ExactLikelihoodLoss(ScoreNetworkLoss):
    """−log p(y* | x), with p(y | x) ∝ exp s(x, y) over all sequences of tags (Lafferty et al.
    2001), over all closed sets of labels, or over all dependency trees (Koo et al. 2007); one value
    for each instance. It does not use the samples. Only the score network receives a gradient. In a
    chain with constraints the sequences are those that it allows. A true tree that is no output,
    such as one with arcs that cross among projective trees, counts as the nearest output.

    # Raises

    `ValueError` for a truth that the constraints do not allow.

    `ConfigurationError` for a score network that is none of these: a linear chain, a tree, which is
    one with the structured score `taxonomy` only, or in the space `dependency-tree` one without
    structured scores.
    """

    logged_means = ("ground_truth_score", "log_partition")

    def __init__(
        self,
        score_network: ScoreNetwork,
        output_space: OutputSpace,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        self.inference = exact_inference(score_network)
        super().__init__(score_network, reduction, log_key)
        self.output_space = output_space

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        truth = self.inference.true_output(truth, mask)
        x = Encoded.of(x, mask)
        log_partition = self.inference.field(x, mask).log_partition().unsqueeze(1)
        score = self.score_network.with_latest(x, truth, mask)  # with the same dropout
        self.log("ground_truth_score", score)
        self.log("log_partition", log_partition)
        return log_partition - score
