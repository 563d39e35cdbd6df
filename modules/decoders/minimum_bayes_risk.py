"""The decoder of minimum Bayes risk."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..samplers import Sampler
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork
from .cuts import share_of_highest
from .decoder import Decoder, Prediction
from .draws import WeightedDrawsDecoder, first_highest
from .grid import Parameters, Rule


@Decoder.register("minimum-bayes-risk")
class MinimumBayesRiskDecoder(WeightedDrawsDecoder):
    """The candidate with the highest expected value under weighted draws:
    argmax_ŷ Σ_j w_j · v(y_j, ŷ) (Kumar & Byrne 2004), with the weights of `WeightedDrawsDecoder`.

    The candidates are the draws, and outputs of the probabilities: for binary outputs the empty one
    and those of 19 shares of the highest probability, for categorical ones the most probable
    values. Of equally good candidates the first is taken.

    # Parameters

    oracle_value : `OracleValue`, optional
        v(y, ŷ) of an output ŷ where y is true; by default that of the model.
    utility : `Metric`, optional
        A task metric instead of the oracle value, such as `span-f1`, computed for each pair of a
        draw and a candidate; this costs time.

    # Raises

    `ConfigurationError` without an oracle value and a utility, and for a utility of other outputs.
    """

    binary_only = False

    def __init__(
        self,
        output_space: OutputSpace,
        oracle_value: Optional[OracleValue] = None,
        task_network: Optional[TaskNetwork] = None,
        score_network: Optional[ScoreNetwork] = None,
        sampler: Optional[Sampler] = None,
        score_weight: Optional[float] = None,
        prior_weight: Optional[float] = None,
        correct_for_proposal: bool = True,
        utility: Optional[Metric] = None,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(
            output_space,
            task_network,
            score_network,
            sampler,
            score_weight,
            prior_weight,
            correct_for_proposal,
            metric,
        )
        if oracle_value is None and utility is None:
            raise ConfigurationError(
                "Expected an 'oracle_value' of the model or of the decoder 'minimum-bayes-risk', "
                "or a 'utility', got neither."
            )
        self.oracle_value = oracle_value
        self.utility = None if utility is None else self.fitting_metric(utility)

    def rule(self, prediction: Prediction) -> Rule:
        draws, weights = self.draws_of(prediction), self.weigh(prediction)
        candidates = torch.cat([draws, self.outputs_of(prediction.probabilities)], 1)
        values = self.values_of(draws, candidates, prediction.mask).to(draws.dtype)
        rows = torch.arange(len(values), device=values.device)

        def decode(at: Parameters) -> torch.Tensor:
            expected = (weights(at).unsqueeze(2) * values).sum(1)
            return self.output_space.decode(candidates[rows, first_highest(expected)])

        return decode

    def values_of(
        self, draws: torch.Tensor, candidates: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return the value of each candidate where each draw is true, `(batch, num_draws,
        num_candidates)`."""
        if self.utility is not None:
            truths, outputs = (
                self.output_space.decode(y.flatten(0, 1)).unflatten(0, y.shape[:2])
                for y in (draws, candidates)
            )
            return self.utility.pairwise(truths, outputs, mask)
        assert self.oracle_value is not None
        return self.oracle_value.pairwise(draws, candidates, mask)

    def outputs_of(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Return the outputs of the probabilities that are candidates, `(batch, num_outputs,
        *event_shape)`."""
        y = probabilities.unsqueeze(1)
        if not self.output_space.is_binary:
            return self.output_space.nearest_corner(y)
        share = share_of_highest(probabilities).unsqueeze(1)
        return torch.cat([(share > i / 20).to(y.dtype) for i in range(1, 21)], 1)
