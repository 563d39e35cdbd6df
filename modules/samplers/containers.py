"""Containers that select a constituent at random, or the best sample of all."""

from typing import Any, List, Optional, cast

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .appending_container import AppendingContainer
from .sampler import Sampler
from .selection import best_sample


@Sampler.register("random-picking-container")
class RandomPickingContainer(AppendingContainer):
    """The samples of one constituent, which is drawn at random for each batch.

    # Parameters

    probabilities : `List[float]`, optional
        The probability of each constituent; equal by default.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        constituents: List[Sampler],
        probabilities: Optional[List[float]] = None,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, constituents, loss, log_key)
        probabilities = probabilities or [1 / len(constituents)] * len(constituents)
        if (
            len(probabilities) != len(constituents)
            or min(probabilities) < 0
            or abs(sum(probabilities) - 1) > 1e-6
        ):
            raise ConfigurationError(
                f"Expected {len(constituents)} probabilities that sum to 1 in a "
                f"'random-picking-container', got {probabilities}."
            )
        self.probabilities = probabilities

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        point = torch.rand(()).item()
        constituents = cast(List[Sampler], self.constituents)
        for constituent, probability in zip(constituents, self.probabilities, strict=True):
            point -= probability
            if point < 0 and probability > 0:
                return constituent.sample(x, truth, mask)
        return constituents[-1].sample(x, truth, mask)


@Sampler.register("best-of")
class BestOfContainer(AppendingContainer):
    """The sample of the highest score for each instance, among those of all constituents."""

    has_logits = False
    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        constituents: List[Sampler],
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, constituents, loss, log_key)
        self.score_network = score_network

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        y = super().propose(x, truth, mask).y
        with frozen(self.score_network), torch.no_grad():
            scores = self.score_network(x, y, mask)
        self.check_scores(scores)
        return SamplerOutput(best_sample(y, scores))
