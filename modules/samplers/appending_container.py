"""A container that joins the samples of several samplers."""

from typing import Any, List, Optional, cast

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .sampler import Sampler


@Sampler.register("appending-container")
class AppendingContainer(Sampler):
    """The samples of all constituents, concatenated along num_samples.

    Logits, log-probabilities and cost-augmented outputs are `None` unless every constituent returns
    them.

    # Parameters

    constituents : `List[Sampler]`
        The samplers, which must not have losses. Two of one class need a `log_key` each.
    loss : `Loss`, optional
        The loss over all samples.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        constituents: List[Sampler],
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if not constituents:
            raise ConfigurationError(
                "Expected at least one constituent in an 'appending-container', got none."
            )
        self.constituents = torch.nn.ModuleList(constituents)
        for constituent in constituents:
            self.adopt_constituent(constituent)

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        samples = [
            constituent.sample(x, truth, mask)
            for constituent in cast(List[Sampler], self.constituents)
        ]
        return SamplerOutput(
            y=torch.cat([sample.y for sample in samples], dim=1),
            logits=_concatenate([sample.logits for sample in samples]),
            cost_augmented=_concatenate([sample.cost_augmented for sample in samples]),
            log_prob=_concatenate([sample.log_prob for sample in samples]),
        )


def _concatenate(parts: List[Optional[torch.Tensor]]) -> Optional[torch.Tensor]:
    """Return the parts along num_samples, or `None` if one of them is missing."""
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors, dim=1) if len(tensors) == len(parts) else None
