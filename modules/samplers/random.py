"""Random outputs."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..networks import frozen, share
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .sampler import Sampler


@Sampler.register("random")
class RandomSampler(Sampler):
    """Relaxed outputs, uniform over the relaxation: a start for inference, or what a value network
    also learns from (Gygli et al. 2017).

    # Parameters

    num_samples : `int`
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_samples: int = 1,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if num_samples < 1:
            raise ConfigurationError(
                f"Expected at least 1 sample of the sampler 'random', got {num_samples}."
            )
        share(self, "score_network", score_network)
        self.num_samples = num_samples

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        with frozen(self.score_network), torch.no_grad():
            shaped = self.score_network.encode(x, mask).unsqueeze(1)  # what a y looks like
        like = shaped.expand(-1, self.num_samples, *shaped.shape[2:])
        return SamplerOutput(self.output_space.random(like))
