"""Outputs that do not depend on x: random outputs, and the center of the relaxation."""

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
    """The base of samplers that use only the shape of the outputs for x.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.
    """

    has_logits = False
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
        """Return the outputs, shaped like `like`."""

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        # The potentials have the shape of y. Inference that starts here needs their encoding too.
        shaped = truth
        if shaped is None:
            shaped = self.score_network.potentials(x, mask).detach().unsqueeze(1)
        like = shaped.expand(-1, self.num_samples, *shaped.shape[2:])
        return SamplerOutput(self.outputs(like))


@Sampler.register("random")
class RandomSampler(_BlindSampler):
    """Relaxed outputs, uniform over the relaxation: starts for inference, or training outputs of a
    value network (Gygli et al. 2017)."""

    def outputs(self, like: torch.Tensor) -> torch.Tensor:
        return self.output_space.random(like)


@Sampler.register("uniform")
class UniformSampler(_BlindSampler):
    """normalize(0), the uniform distribution at every position: a start for inference that moves
    logits, since y = 0 has infinite logits."""

    def outputs(self, like: torch.Tensor) -> torch.Tensor:
        return self.output_space.normalize(self.output_space.zeros_like(like))
