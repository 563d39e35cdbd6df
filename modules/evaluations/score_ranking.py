"""How the score ranks the truth among proposals, and the proposals among each other."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..logging import LoggedMean
from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..samplers import NetworkDrawsSampler, Sampler
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork
from .evaluation_module import EvaluationModule


@EvaluationModule.register("score-ranking")
class ScoreRanking(EvaluationModule):
    """How the score ranks the truth among draws, and the draws by their oracle value.

    - `rank`: the rank of the truth among the draws, 1 is the best; equal scores share the mean of
      their ranks. Draws that are the truth itself do not count.
    - `reciprocal_rank`: 1 / `rank`, whose mean is the MRR.
    - `truth_above_draws`: the share of instances whose truth has a higher score than all draws.
    - `truth_score`, `draw_score`: the mean scores.
    - `ndcg`: DCG / (the DCG of the best order) of the draws in the order of their scores, with DCG
      = Σ_r v_r / log2(1 + r) and the oracle values v_r; over the instances that have a draw of a
      value above 0. Equal scores share the mean of their discounts.
    - `draw_value`, `chosen_value`: the mean oracle value of the draws, and of those that have the
      highest score of their instance.

    # Parameters

    score_network : `ScoreNetwork`
        s(x, y).
    sampler : `Sampler`, optional
        The sampler of the draws, by default `network-draws` with 20 draws. It receives no labels.
    oracle_value : `OracleValue`, optional
        Without it, there are no values that depend on it.

    # Raises

    `ConfigurationError` without a sampler, if the model has no task network.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        sampler: Optional[Sampler] = None,
        task_network: Optional[TaskNetwork] = None,
        oracle_value: Optional[OracleValue] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, log_key)
        if sampler is None:
            if task_network is None:
                raise ConfigurationError(
                    "Expected a 'sampler' in the evaluation 'score-ranking' of a model without a "
                    "task network, got none."
                )
            sampler = NetworkDrawsSampler(output_space, task_network)
        self.score_network = score_network
        self.sampler = sampler
        self.oracle_value = oracle_value
        self.adopt(sampler, "sampler")
        keys = ["rank", "reciprocal_rank", "truth_above_draws", "truth_score", "draw_score"]
        if oracle_value is not None:
            keys += ["ndcg", "draw_value", "chosen_value"]
        self.logging_buffer.update({key: LoggedMean() for key in keys})

    def evaluate(self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor]) -> None:
        y = self.sampler.sample(x, None, mask).y
        truth = self.output_space.encode(labels, y.dtype)
        scores = self.score_network(x, torch.cat([truth, y], dim=1), mask)
        true, drawn = scores[:, :1], scores[:, 1:]
        others = self.output_space.distance(y, truth, mask) > 0
        higher = ((drawn > true) & others).sum(1)
        equal = ((drawn == true) & others).sum(1)
        rank = 1 + higher + equal.double() / 2
        self.log("rank", rank)
        self.log("reciprocal_rank", 1 / rank)
        self.log("truth_above_draws", higher + equal == 0)
        self.log("truth_score", true)
        self.log("draw_score", drawn)
        if self.oracle_value is not None:
            values = self.oracle_value.value(truth, y, mask)
            some = (values > 0).any(1)
            self.log("ndcg", normalized_gain(drawn[some], values[some]))
            self.log("draw_value", values)
            is_highest = drawn == drawn.amax(1, keepdim=True)
            self.log("chosen_value", (values * is_highest).sum(1) / is_highest.sum(1))


def normalized_gain(scores: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return DCG / (the DCG of the best order), `(batch,)` in double, of items with scores and
    values `(batch, items)`; NaN where all values are 0.

    >>> normalized_gain(torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([[0.0, 1.0, 0.0]]))
    tensor([0.6309], dtype=torch.float64)
    """
    ranks = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    discounts = 1 / (ranks.double() + 1).log2()
    up_to = torch.nn.functional.pad(discounts.cumsum(0), (1, 0))
    before = (scores.unsqueeze(1) > scores.unsqueeze(2)).sum(2)
    equal = (scores.unsqueeze(1) == scores.unsqueeze(2)).sum(2)
    shared = (up_to[before + equal] - up_to[before]) / equal
    best = values.double().sort(dim=1, descending=True).values
    return (values * shared).sum(1) / (best * discounts).sum(1)
