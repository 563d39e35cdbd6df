"""The decoder that reranks draws."""

from typing import Any, Optional

import torch
from allennlp.training.metrics import Metric

from ..encoded import Encoded
from ..output_spaces import OutputSpace
from ..samplers import Sampler
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork
from .decoder import Decoder, Prediction
from .draws import DrawsDecoder, first_highest
from .grid import Parameters, Rule

PRIOR_WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)


@Decoder.register("rerank")
class RerankDecoder(DrawsDecoder):
    """The output that maximises s(x, y) + λ · log p(y) among draws and the most probable output,
    with the score s and the probability p of the prediction.

    With λ = 0 the output has the highest score, with a large λ the highest probability.

    # Parameters

    prior_weight : `float`, optional
        λ ≥ 0; fitted by default, from 1.
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
        assert self.score_network is not None
        y = torch.cat([probabilities.unsqueeze(1), self.sampler.sample(x, None, mask).y], 1)
        y = self.output_space.nearest_corner(y)
        return Prediction(probabilities, mask, y.bool(), self.score_network(x, y, mask))

    def rule(self, prediction: Prediction) -> Rule:
        draws, prior = self.draws_of(prediction), self.log_prior(prediction)
        assert prediction.scores is not None
        scores = prediction.scores.double()
        rows = torch.arange(len(draws), device=draws.device)

        def decode(at: Parameters) -> torch.Tensor:
            values = scores + at["prior_weight"] * prior
            return self.output_space.decode(draws[rows, first_highest(values)])

        return decode
