"""Exact inference in linear chains."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, chain_of, check_chain
from .sampler import Sampler


@Sampler.register("exact")
class ExactSampler(Sampler):
    """The outputs of the highest scores, best first, or exact draws from p(y | x) ∝ exp s(x, y)
    with their log-probabilities. The score network must be a linear chain.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.
    kind : `"best"` or `"draws"`
        Whether to return the best outputs or draws.

    # Raises

    `ConfigurationError` for a score network that is not a linear chain.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_samples: int = 1,
        kind: Literal["best", "draws"] = "best",
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if num_samples < 1 or kind not in ("best", "draws"):
            raise ConfigurationError(
                "Expected at least 1 sample and a kind among 'best', 'draws' in the sampler "
                f"'exact', got {num_samples} and '{kind}'."
            )
        check_chain(score_network)
        self.score_network = score_network
        self.num_samples = num_samples
        self.kind = kind

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network):
            chain = chain_of(self.score_network, x, mask)
            self.check_scores(chain.potentials[chain.mask], chain.transitions)
            if self.kind == "draws":
                tags = chain.draws(self.num_samples)
            elif self.num_samples == 1:
                tags = chain.best().unsqueeze(1)
            else:
                tags = chain.best_ones(self.num_samples)
            encoded = self.output_space.encode(tags.flatten(0, 1), chain.potentials.dtype)
            y = encoded.view(*tags.shape, -1)
            if self.kind == "best":
                return SamplerOutput(y)
            with torch.no_grad():
                log_prob = self.score_network(x, y, mask) - chain.log_partition().unsqueeze(1)
        return SamplerOutput(y, log_prob=log_prob)
