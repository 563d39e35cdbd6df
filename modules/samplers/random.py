"""Outputs that do not depend on x: random ones, and the middle of all."""

from abc import abstractmethod
from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .sampler import Sampler


class _BlindSampler(Sampler):
    """The base of samplers that take nothing of x but the shape of its outputs.

    # Parameters

    num_samples : `int`
        How many outputs for each instance.
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
                f"Expected at least 1 sample of {type(self).__name__}, got {num_samples}."
            )
        self.score_network = score_network
        self.num_samples = num_samples

    @abstractmethod
    def outputs(self, like: torch.Tensor) -> torch.Tensor:
        """The outputs, of the shape of `like`."""

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        # What a y looks like; where inference starts here the encoding is at hand, or used later.
        shaped = truth
        if shaped is None:
            shaped = self.score_network.potentials(x, mask).detach().unsqueeze(1)
        like = shaped.expand(-1, self.num_samples, *shaped.shape[2:])
        return SamplerOutput(self.outputs(like))


@Sampler.register("random")
class RandomSampler(_BlindSampler):
    """Relaxed outputs, uniform over the relaxation: a start for inference, or what a value network
    also learns from (Gygli et al. 2017)."""

    def outputs(self, like: torch.Tensor) -> torch.Tensor:
        return self.output_space.random(like)


@Sampler.register("uniform")
class UniformSampler(_BlindSampler):
    """normalize(0), the output that is undecided at every position: a start for inference that
    moves in logits, for which zeros are at the edge."""

    def outputs(self, like: torch.Tensor) -> torch.Tensor:
        return self.output_space.normalize(torch.zeros_like(like))
