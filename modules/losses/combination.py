"""A weighted sum of losses."""

from typing import Any, List, Optional, cast

import torch
from allennlp.common.checks import ConfigurationError

from ..sampler_output import SamplerOutput
from .loss import Loss


@Loss.register("combination")
class CombinationLoss(Loss):
    """Σ_i w_i · loss_i, reduced as its constituents, which must all be reduced alike.

    A constituent with one value for each instance, such as `cross-entropy`, counts once beside one
    with a value for each of several samples, whatever the reduction.

    # Parameters

    constituents : `List[Loss]`
        The losses; two of one class need a `log_key` each.
    weights : `List[float]`, optional
        Their weights, by default 1 each.
    """

    def __init__(
        self,
        constituents: List[Loss],
        weights: Optional[List[float]] = None,
        log_key: Optional[str] = None,
    ) -> None:
        weights = [1.0] * len(constituents) if weights is None else weights
        if not constituents or len(weights) != len(constituents):
            raise ConfigurationError(
                "Expected at least one constituent and a weight for each in a combination of "
                f"losses, got {len(constituents)} constituents and {len(weights)} weights."
            )
        reductions = [f"{type(loss).__name__}: {loss.reduction}" for loss in constituents]
        if len({loss.reduction for loss in constituents}) > 1:
            raise ConfigurationError(
                "Expected every constituent of a combination to have the same reduction, got "
                f"{', '.join(reductions)}; set 'reduction' of each to the same value."
            )
        super().__init__(constituents[0].reduction, log_key)
        self.constituents = torch.nn.ModuleList(constituents)
        self.weights = weights
        for constituent in constituents:
            self.adopt(constituent)

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        terms = [
            weight * constituent.unreduced(x, truth, sample, mask)
            for weight, constituent in zip(
                self.weights, cast(List[Loss], self.constituents), strict=True
            )
        ]
        width = max(term.shape[1] for term in terms)
        if self.reduction == "sum":
            terms = [term * (term.shape[1] / width) for term in terms]
        return sum(terms[1:], terms[0])
