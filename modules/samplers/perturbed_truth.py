"""The true output with a random share of its positions redrawn."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .ground_truth import GroundTruthSampler
from .sampler import Sampler


@Sampler.register("perturbed-truth")
class PerturbedTruthSampler(GroundTruthSampler):
    """Discrete y_k: y* with each position redrawn uniformly with probability ρ_k, ρ_k ~ U(0, 1).

    The oracle values of the samples range from that of a random output to that of the truth. The
    sampler serves the purpose of the stratified samples of Gygli et al. 2017, which are drawn in
    proportion to exp(v* / τ) (Norouzi et al. 2016), but has no temperature.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.

    # Raises

    `ConfigurationError` for fewer than 1 sample.
    `ValueError` without labels.
    """

    has_logits = False

    def __init__(
        self,
        output_space: OutputSpace,
        num_samples: int = 1,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if num_samples < 1:
            raise ConfigurationError(
                "Expected at least 1 sample of the sampler 'perturbed-truth', got "
                f"num_samples {num_samples}."
            )
        self.num_samples = num_samples

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        y = super().propose(x, truth, mask).y
        y = y.expand(-1, self.num_samples, *y.shape[2:])
        rate = torch.rand(*y.shape[:2], *[1] * (y.dim() - 2), device=y.device)
        return SamplerOutput(self.output_space.perturb(y, rate))
