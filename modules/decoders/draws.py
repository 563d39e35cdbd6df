"""Decoders that choose by weighted draws, and so by the score."""

from abc import ABC
from typing import Any, Callable, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..encoded import Encoded
from ..output_spaces import OutputSpace
from ..samplers import ExactSampler, Sampler, TemperedDrawsSampler
from ..score_networks import ScoreNetwork, has_exact_inference
from ..task_networks import TaskNetwork
from .decoder import Prediction
from .grid import GridDecoder, Parameters

SCORE_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)
PRIOR_WEIGHTS = (0.0, 0.25, 0.4, 0.55, 0.75, 1.0)  # 1 / temperature
_DRAWS = 200


class DrawsDecoder(GridDecoder, ABC):
    """The base of decoders that choose by draws of a sampler and their scores.

    # Parameters

    sampler : `Sampler`, optional
        Draws outputs without labels; by default `tempered-draws` of the task network or, without
        one, draws of `exact` where the score network has exact inference.
    metric : `Metric`, optional
        The metric to optimise.

    # Raises

    `ConfigurationError` without a sampler, a task network and exact inference.
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
        if sampler is None and task_network is not None:
            sampler = TemperedDrawsSampler(output_space, task_network)
        if sampler is None:
            if score_network is None or not has_exact_inference(score_network):
                raise ConfigurationError(
                    "Expected a 'sampler' or a model with a task network in the decoder "
                    f"{type(self).__name__}, which chooses by draws, got neither."
                )
            sampler = ExactSampler(output_space, score_network, _DRAWS, "draws", seed=0)
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
        """Return the draws of a prediction, in its dtype.

        # Raises

        `ValueError` where it has none.
        """
        if prediction.draws is None:
            raise ValueError(
                f"Expected a prediction with draws in the decoder {type(self).__name__}, got one "
                "without; make it by `predict`."
            )
        return prediction.draws.to(prediction.probabilities.dtype)

    def log_prior(self, prediction: Prediction) -> torch.Tensor:
        """Return log p(y) of the draws under the probabilities of the prediction, `(batch,
        num_draws)`, in double."""
        logits = self.output_space.logits_of(prediction.probabilities).unsqueeze(1)
        draws = self.draws_of(prediction)
        return self.output_space.log_probs(logits, draws, prediction.mask)[:, :, 0].double()


class WeightedDrawsDecoder(DrawsDecoder, ABC):
    """The base of decoders that choose by expectations under
    π(y) ∝ exp(β · s(x, y)) · p(y)^λ, with the score s (higher is better) and the probability p of
    the prediction.

    With β = 0 it is the distribution of the prediction at the temperature 1 / λ, with λ = 0 that of
    the score. An expectation is the mean over draws y_j of a sampler q, with the weights
    w_j ∝ π(y_j) / q(y_j), normalised over the draws of the instance (self-normalised importance
    sampling).

    # Parameters

    score_weight : `float`, optional
        β ≥ 0; fitted by default, from 1. Without a score network it is 0.
    prior_weight : `float`, optional
        λ ≥ 0; fitted by default, from 1.
    correct_for_proposal : `bool`
        Whether to divide by q. If false, the draws represent q · π; a sampler without
        log-probabilities needs that.

    # Raises

    `ConfigurationError` for a score weight without a score network.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: Optional[TaskNetwork] = None,
        score_network: Optional[ScoreNetwork] = None,
        sampler: Optional[Sampler] = None,
        score_weight: Optional[float] = None,
        prior_weight: Optional[float] = None,
        correct_for_proposal: bool = True,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(output_space, task_network, score_network, sampler, metric)
        if score_network is None:
            if score_weight:
                raise ConfigurationError(
                    f"Expected a model with a score network for the score_weight {score_weight:g} "
                    f"in the decoder {type(self).__name__}, got one without."
                )
            score_weight = 0.0
        self.correct_for_proposal = correct_for_proposal
        self.add_parameter("score_weight", score_weight, 1.0, SCORE_WEIGHTS, 0.0)
        self.add_parameter("prior_weight", prior_weight, 1.0, PRIOR_WEIGHTS, 0.0)

    def weigh(self, prediction: Prediction) -> Callable[[Parameters], torch.Tensor]:
        """Return the function that gives the weights of the draws for parameters: `(batch,
        num_draws)`, they sum to 1.

        # Raises

        `ConfigurationError` where they are to be divided by q, and the sampler has no
        log-probabilities.
        """
        prior = self.log_prior(prediction)
        rest = torch.zeros_like(prior)
        if self.correct_for_proposal:
            if prediction.log_prob is None:
                raise ConfigurationError(
                    "Expected a sampler that returns log-probabilities in the decoder "
                    f"{type(self).__name__}, got {type(self.sampler).__name__}; set "
                    "correct_for_proposal: false."
                )
            rest = -prediction.log_prob.double()
        score = rest * 0 if prediction.scores is None else prediction.scores.double()

        def weights(at: Parameters) -> torch.Tensor:
            logits = at["score_weight"] * score + at["prior_weight"] * prior + rest
            return logits.softmax(1).to(prediction.probabilities.dtype)

        return weights


def first_highest(values: torch.Tensor, tolerance: float = 1e-6) -> torch.Tensor:
    """Return the index of the first value of each row that is highest, up to the tolerance and,
    above 1, that share of it: rounding decides nothing."""
    highest = values.amax(1, keepdim=True)
    within = tolerance * highest.abs().clamp(min=1.0)
    return (values >= highest - within).to(torch.uint8).argmax(1)
