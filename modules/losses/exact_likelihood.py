"""The exact likelihood of conditional random fields: linear chains, trees of labels, and arcs."""

from typing import Any, Optional

import torch

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import (
    ScoreNetwork,
    chain_of,
    check_chain,
    check_tree,
    has_arcs,
    has_tree,
    space_of_arcs,
    tree_of,
)
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("exact-likelihood")
class ExactLikelihoodLoss(ScoreNetworkLoss):
    """−log p(y* | x), with p(y | x) ∝ exp s(x, y) over all sequences of tags (Lafferty et al.
    2001), over all closed sets of labels, or over all dependency trees (Koo et al. 2007); one value
    for each instance. It does not use the samples. Only the score network receives a gradient. In a
    chain with constraints the sequences are those that it allows.

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
        self.has_arcs = has_arcs(score_network)
        if not self.has_arcs:
            check_tree(score_network) if has_tree(score_network) else check_chain(score_network)
        super().__init__(score_network, reduction, log_key)
        self.output_space = output_space

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if self.has_arcs:
            potentials = self.score_network.potentials(x, mask)
            log_partition = space_of_arcs(self.score_network).log_partition(potentials)
            log_partition = log_partition.to(potentials.dtype).unsqueeze(1)
        elif has_tree(self.score_network):
            log_partition = tree_of(self.score_network, x, mask).log_partition().unsqueeze(1)
        else:
            check_chain(self.score_network).check_allowed(truth, mask)
            log_partition = chain_of(self.score_network, x, mask).log_partition().unsqueeze(1)
        score = self.score_network(x, truth, mask)
        self.log("ground_truth_score", score)
        self.log("log_partition", log_partition)
        return log_partition - score
