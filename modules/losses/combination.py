"""A weighted sum of losses."""

from typing import Any, List, Optional, Union, cast

import torch
from allennlp.common.checks import ConfigurationError

from ..logging import LoggedLatest
from ..sampler_output import SamplerOutput
from .loss import Loss
from .weight_schedules import ConstantWeight, WeightSchedule


@Loss.register("combination")
class CombinationLoss(Loss):
    """Σ_i w_i · loss_i, with the reduction of its constituents, which must be the same for all.

    A constituent with one value for each instance, such as `cross-entropy`, counts once for each
    instance, also next to a constituent with a value for each of several samples.

    # Parameters

    constituents : `List[Loss]`
        The losses. Two of one class need a `log_key` each.
    weights : `List[float | WeightSchedule]`, optional
        Their weights, by default 1: numbers, or schedules such as
        `{type: 'linear', start: 0, end: 1, num_steps: 1000}`. The weights of schedules are logged
        as `weight.0`, `weight.1` ….
    """

    def __init__(
        self,
        constituents: List[Loss],
        weights: Optional[List[Union[float, WeightSchedule]]] = None,
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
        self.weights = torch.nn.ModuleList(
            weight if isinstance(weight, WeightSchedule) else ConstantWeight(weight)
            for weight in weights
        )
        for constituent in constituents:
            self.adopt(constituent)
        for number, weight in enumerate(weights):
            if isinstance(weight, WeightSchedule):
                self.logging_buffer[f"weight.{number}"] = LoggedLatest()

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        # Without logging, this is no training step, but a step of a descent or a prediction.
        counts = self.training and self.is_logging
        weights = [
            schedule.advance() if counts else schedule.value
            for schedule in cast(List[WeightSchedule], self.weights)
        ]
        for number, weight in enumerate(weights):
            if f"weight.{number}" in self.logging_buffer:
                self.log(f"weight.{number}", weight)
        terms = [
            weight * constituent.unreduced(x, truth, sample, mask)
            for weight, constituent in zip(
                weights, cast(List[Loss], self.constituents), strict=True
            )
        ]
        width = max(term.shape[1] for term in terms)
        if self.reduction == "sum":
            terms = [term * (term.shape[1] / width) for term in terms]
        return sum(terms[1:], terms[0])
