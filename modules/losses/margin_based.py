"""Margin-based losses of the score network."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss

MarginType = Literal["margin-rescaled", "slack-rescaled", "perceptron", "contrastive"]


@Loss.register("margin-based")
class MarginBasedLoss(ScoreNetworkLoss):
    """The hinge losses of Tu & Gimpel (2018, section 2.3; 2020) for the score network.

    With the score s, the truth y*, the cost-augmented output ŷ, its oracle cost D and the weight w:

    - `margin-rescaled`: max(0, w·D − s(x, y*) + s(x, ŷ))
    - `slack-rescaled`: w·D · max(0, 1 − s(x, y*) + s(x, ŷ))
    - `perceptron`: max(0, s(x, ŷ) − s(x, y*))
    - `contrastive`: max(0, 1 − s(x, y*) + s(x, ŷ))

    A sampler with a separate cost-augmented network adds v · max(0, s(x, ỹ) − s(x, y*)) for the
    inference output ỹ (Tu et al. 2020). Without one, ŷ is the inference output itself. The outputs
    are constants: only the score network receives a gradient.

    # Parameters

    margin_type : `str`
        One of the four above.
    oracle_cost_weight : `float`
        w.
    perceptron_weight : `float`
        v.
    most_violated : `bool`
        Whether, of several samples of an instance, only the sample with the largest loss counts, as
        in the structured support vector machine (Tsochantaridis et al. 2005).
    """

    logged_means = (
        "oracle_cost",
        "cost_augmented_score",
        "inference_score",
        "ground_truth_score",
        "violations",
    )

    def __init__(
        self,
        score_network: ScoreNetwork,
        oracle_value: OracleValue,
        margin_type: MarginType = "margin-rescaled",
        oracle_cost_weight: float = 1.0,
        perceptron_weight: float = 1.0,
        most_violated: bool = False,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        margin_types = ("margin-rescaled", "slack-rescaled", "perceptron", "contrastive")
        if margin_type not in margin_types:
            raise ConfigurationError(
                f"Expected margin_type to be one of {margin_types}, got '{margin_type}'."
            )
        self.oracle_value = oracle_value
        self.margin_type = margin_type
        self.oracle_cost_weight = oracle_cost_weight
        self.perceptron_weight = perceptron_weight
        self.most_violated = most_violated

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        inference = sample.y.detach()
        separate = sample.cost_augmented is not None
        augmented = inference if sample.cost_augmented is None else sample.cost_augmented.detach()
        outputs = [truth, augmented, inference] if separate else [truth, augmented]
        scores = self.score_network(x, torch.cat(outputs, dim=1), mask)
        num_samples = augmented.shape[1]
        truth_score, augmented_score = scores[:, :1], scores[:, 1 : 1 + num_samples]
        inference_score = scores[:, 1 + num_samples :] if separate else augmented_score

        cost = self.oracle_value.cost(truth, augmented, mask)
        margin = self._margin(cost, augmented_score - truth_score)
        loss = margin.clamp(min=0.0)
        if self.margin_type == "slack-rescaled":
            loss = self.oracle_cost_weight * cost * loss
        if separate:
            perceptron = (inference_score - truth_score).clamp(min=0.0)
            loss = loss + self.perceptron_weight * perceptron

        self.log("oracle_cost", cost)
        self.log("cost_augmented_score", augmented_score)
        self.log("inference_score", inference_score)
        self.log("ground_truth_score", truth_score)
        self.log("violations", margin.detach() > 0)
        return loss.amax(dim=1, keepdim=True) if self.most_violated else loss

    def _margin(self, cost: torch.Tensor, score_gap: torch.Tensor) -> torch.Tensor:
        """Return the argument of the hinge; `score_gap` is s(x, ŷ) − s(x, y*)."""
        if self.margin_type == "margin-rescaled":
            return self.oracle_cost_weight * cost + score_gap
        return score_gap if self.margin_type == "perceptron" else 1.0 + score_gap
