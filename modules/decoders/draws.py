"""Decoders that choose by weighted draws, and so by the score."""

from abc import ABC
from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..encoded import Encoded
from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..samplers import NetworkDrawsSampler, Sampler
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork
from .decoder import Decoder, Prediction
from .grid import GridDecoder, Parameters, Rule

SCORE_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
PRIOR_WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
_TOLERANCE = 1e-6  # values that differ by no more are equal, so that rounding decides nothing


class DrawsDecoder(GridDecoder, ABC):
    """The base of decoders that choose by draws of a sampler and their scores.

    # Parameters

    sampler : `Sampler`, optional
        Draws outputs without labels; by default 100 draws of the task network with a seed of their
        own, so that the draws of an instance depend on its probabilities only.
    metric : `Metric`, optional
        The metric to optimise.

    # Raises

    `ConfigurationError` without a sampler and a task network.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: Optional[TaskNetwork],
        score_network: Optional[ScoreNetwork],
        sampler: Optional[Sampler],
        metric: Optional[Metric],
    ) -> None:
        super().__init__(output_space, metric)
        if sampler is None:
            if task_network is None:
                raise ConfigurationError(
                    "Expected a 'sampler' or a model with a task network in the decoder "
                    f"{type(self).__name__}, which chooses by draws, got neither."
                )
            sampler = NetworkDrawsSampler(output_space, task_network, num_samples=100, seed=0)
        self.sampler = sampler
        self.score_network = score_network

    def predict(
        self, x: Any, probabilities: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Prediction:
        x = Encoded.of(x, mask)
        sample = self.sampler.sample(x, None, mask)
        y = self.output_space.nearest_corner(sample.y)
        scores = None if self.score_network is None else self.score_network(x, y, mask)
        return Prediction(probabilities, mask, y.bool(), scores, sample.log_prob)

    def draws_of(self, prediction: Prediction) -> torch.Tensor:
        """Return the draws of a prediction.

        # Raises

        `ValueError` where it has none.
        """
        if prediction.draws is None:
            raise ValueError(
                f"Expected a prediction with draws in the decoder {type(self).__name__}, got one "
                "without; make it by `predict`."
            )
        return prediction.draws

    def log_prob_of(self, prediction: Prediction, key: str) -> torch.Tensor:
        """Return the log-probabilities of the draws.

        # Raises

        `ConfigurationError` where the sampler has none; `key` is the parameter that needs them.
        """
        if prediction.log_prob is None:
            raise ConfigurationError(
                f"Expected a sampler that returns log-probabilities for {key} in the decoder "
                f"{type(self).__name__}, got {type(self.sampler).__name__}; set {key}: 0."
            )
        return prediction.log_prob.double()


class WeightedDrawsDecoder(DrawsDecoder, ABC):
    """The base of decoders that choose by the expectation over weighted draws y_j of a sampler.

    A draw has the weight w_j ∝ exp(β · s(x, y_j)) / q(y_j)^γ, normalised over the draws of the
    instance, where s is the score (higher is better) and q the probability under the sampler. With
    γ = 1 the draws represent the distribution ∝ exp(β · s) (self-normalised importance sampling),
    with γ = 0 the distribution ∝ q · exp(β · s), and with β = γ = 0 the sampler's own.

    # Parameters

    score_weight : `float`, optional
        β ≥ 0; fitted by default, from 1. Without a score network it is 0.
    proposal_weight : `float`, optional
        γ in [0, 1]; by default fitted, 0 or 1. A sampler without log-probabilities needs 0.

    # Raises

    `ConfigurationError` for a score weight without a score network.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: Optional[TaskNetwork],
        score_network: Optional[ScoreNetwork],
        sampler: Optional[Sampler],
        score_weight: Optional[float],
        proposal_weight: Optional[float],
        metric: Optional[Metric],
    ) -> None:
        super().__init__(output_space, task_network, score_network, sampler, metric)
        if score_network is None:
            if score_weight:
                raise ConfigurationError(
                    f"Expected a model with a score network for the score_weight {score_weight:g} "
                    f"in the decoder {type(self).__name__}, got one without."
                )
            score_weight = 0.0
        self.add_parameter("score_weight", score_weight, 1.0, SCORE_WEIGHTS, 0.0)
        self.add_parameter("proposal_weight", proposal_weight, 1.0, (0.0, 1.0), 0.0, 1.0)

    def weights(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        """Return the weights of the draws, which sum to 1, `(batch, num_draws)`, in double."""
        shape = self.draws_of(prediction).shape[:2]
        logits = prediction.probabilities.new_zeros(shape, dtype=torch.float64)
        if prediction.scores is not None:
            logits = logits + parameters["score_weight"] * prediction.scores.double()
        if parameters["proposal_weight"]:
            log_prob = self.log_prob_of(prediction, "proposal_weight")
            logits = logits - parameters["proposal_weight"] * log_prob
        return logits.softmax(1)


def first_highest(values: torch.Tensor) -> torch.Tensor:
    """Return the index of the first value of each row that is highest, up to rounding."""
    highest = values.amax(1, keepdim=True)
    tolerance = _TOLERANCE * highest.abs().clamp(min=1.0)
    return (values >= highest - tolerance).to(torch.uint8).argmax(1)


@Decoder.register("minimum-bayes-risk")
class MinimumBayesRiskDecoder(WeightedDrawsDecoder):
    """The candidate with the highest expected oracle value under weighted draws:
    argmax_ŷ Σ_j w_j · v(y_j, ŷ) (Kumar & Byrne 2004), with the weights of `WeightedDrawsDecoder`.

    The candidates are the draws, and the outputs of the probabilities: for binary outputs those of
    19 thresholds, for categorical ones the most probable values. Of equally good candidates the
    first is taken.

    # Parameters

    oracle_value : `OracleValue`, optional
        v(y, ŷ) of an output ŷ where y is true; by default that of the model.
    """

    binary_only = False

    def __init__(
        self,
        output_space: OutputSpace,
        oracle_value: OracleValue,
        task_network: Optional[TaskNetwork] = None,
        score_network: Optional[ScoreNetwork] = None,
        sampler: Optional[Sampler] = None,
        score_weight: Optional[float] = None,
        proposal_weight: Optional[float] = None,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(
            output_space,
            task_network,
            score_network,
            sampler,
            score_weight,
            proposal_weight,
            metric,
        )
        self.oracle_value = oracle_value

    def rule(self, prediction: Prediction) -> Rule:
        dtype = prediction.probabilities.dtype
        draws = self.draws_of(prediction).to(dtype)
        candidates = torch.cat([draws, self.outputs_of(prediction.probabilities)], 1)
        values = self.oracle_value.pairwise(draws, candidates, prediction.mask).double()
        rows = torch.arange(len(values), device=values.device)

        def decode(at: Parameters) -> torch.Tensor:
            expected = (self.weights(prediction, at).unsqueeze(2) * values).sum(1)
            return self.output_space.decode(candidates[rows, first_highest(expected)])

        return decode

    def outputs_of(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Return the outputs of the probabilities that are candidates, `(batch, num_outputs,
        *event_shape)`."""
        y = probabilities.unsqueeze(1)
        if not self.output_space.is_binary:
            return self.output_space.nearest_corner(y)
        return torch.cat([(y > i / 20).to(y.dtype) for i in range(1, 20)], 1)


@Decoder.register("rerank")
class RerankDecoder(DrawsDecoder):
    """The draw that maximises s(x, y) + λ · log q(y), or the most probable output, if it is better.

    With λ = 0 the output has the highest score, with a large λ the highest probability.

    # Parameters

    prior_weight : `float`, optional
        λ ≥ 0; fitted by default, from 1. A sampler without log-probabilities needs 0.
    """

    binary_only = False

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        task_network: Optional[TaskNetwork] = None,
        sampler: Optional[Sampler] = None,
        prior_weight: Optional[float] = None,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(output_space, task_network, score_network, sampler, metric)
        self.add_parameter("prior_weight", prior_weight, 1.0, PRIOR_WEIGHTS, 0.0)

    def predict(
        self, x: Any, probabilities: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Prediction:
        x = Encoded.of(x, mask)
        sample = self.sampler.sample(x, None, mask)
        y, log_prob = self.output_space.nearest_corner(sample.y), sample.log_prob
        if log_prob is None or sample.logits is not None:
            best = self.output_space.nearest_corner(probabilities.unsqueeze(1))
            y = torch.cat([best, y], 1)
            if log_prob is not None and sample.logits is not None:
                own = self.output_space.log_prob(sample.logits[:, :1], best, mask)
                log_prob = torch.cat([own, log_prob], 1)
        assert self.score_network is not None
        return Prediction(probabilities, mask, y.bool(), self.score_network(x, y, mask), log_prob)

    def rule(self, prediction: Prediction) -> Rule:
        dtype = prediction.probabilities.dtype
        draws, scores = self.draws_of(prediction), prediction.scores
        assert scores is not None
        rows = torch.arange(len(draws), device=draws.device)

        def decode(at: Parameters) -> torch.Tensor:
            values = scores.double()
            if at["prior_weight"]:
                values = values + at["prior_weight"] * self.log_prob_of(prediction, "prior_weight")
            return self.output_space.decode(draws[rows, first_highest(values)].to(dtype))

        return decode
