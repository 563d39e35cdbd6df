"""The samples of several samplers together."""

from typing import Any, List, Optional, cast

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .sampler import Sampler


@Sampler.register("appending-container")
class AppendingContainer(Sampler):
    """All samples of its constituents in one output, along num_samples.

    What not every constituent gives (logits, log-probabilities, cost-augmented outputs) is `None`.

    # Parameters

    constituents : `List[Sampler]`
        The samplers, without losses of their own; two of one class need a `log_key` each.
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
        with_loss = [c.log_key for c in constituents if c.loss is not None]
        if with_loss:
            raise ConfigurationError(
                "Expected the constituents of an 'appending-container' to have no loss, got one in "
                f"{with_loss}; give the loss to the container."
            )
        self.constituents = torch.nn.ModuleList(constituents)
        for constituent in constituents:
            self.adopt(constituent)

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        samples = [
            constituent.sample(x, truth, mask)
            for constituent in cast(List[Sampler], self.constituents)
        ]
        return SamplerOutput(
            y=torch.cat([sample.y for sample in samples], dim=1),
            logits=_together([sample.logits for sample in samples]),
            cost_augmented=_together([sample.cost_augmented for sample in samples]),
            log_prob=_together([sample.log_prob for sample in samples]),
        )


def _together(parts: List[Optional[torch.Tensor]]) -> Optional[torch.Tensor]:
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors, dim=1) if len(tensors) == len(parts) else None
