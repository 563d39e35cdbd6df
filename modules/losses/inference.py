"""The objective of inference networks."""

from typing import Any, Optional

import torch

from ..oracle_values import OracleValue
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .loss import Loss, Reduction
from .score_network_loss import ScoreNetworkLoss


@Loss.register("inference")
class InferenceLoss(ScoreNetworkLoss):
    """−(w·D + s(x, ŷ)) − v·s(x, ỹ), which inference networks minimise.

    ŷ is the cost-augmented output, D its oracle cost, and ỹ the inference output. The second term
    requires a sampler with a separate cost-augmented network, as in the compound objective of Tu et
    al. (2020); without one, ŷ is the inference output itself and the term is omitted.

    Tu & Gimpel (2018) maximise the hinge max(0, w·D + s(x, ŷ) − s(x, y*)), whose gradient vanishes
    where it is 0. As in Tu et al. (2020), there is no such truncation here, and s(x, y*), which
    does not depend on the networks, is omitted. Differentiable through ŷ and ỹ. `combination` adds
    further terms, such as a cross-entropy.

    # Parameters

    oracle_cost_weight : `float`
        w, as in the `margin-based` loss of the score network; 0 for `perceptron` and `contrastive`.
    inference_score_weight : `float`
        v.
    """

    logged_means = ("oracle_cost", "cost_augmented_score", "inference_score")

    def __init__(
        self,
        score_network: ScoreNetwork,
        oracle_value: OracleValue,
        oracle_cost_weight: float = 1.0,
        inference_score_weight: float = 1.0,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(score_network, reduction, log_key)
        self.oracle_value = oracle_value
        self.oracle_cost_weight = oracle_cost_weight
        self.inference_score_weight = inference_score_weight

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        separate = sample.cost_augmented is not None
        augmented = sample.y if sample.cost_augmented is None else sample.cost_augmented
        outputs = torch.cat([augmented, sample.y], dim=1) if separate else augmented
        scores = self.score_network(x, outputs, mask)
        augmented_score = scores[:, : augmented.shape[1]]
        inference_score = scores[:, augmented.shape[1] :] if separate else augmented_score
        cost = self.oracle_value.cost(truth, augmented, mask)
        loss = -(self.oracle_cost_weight * cost + augmented_score)
        if separate:
            loss = loss - self.inference_score_weight * inference_score
        self.log("oracle_cost", cost)
        self.log("cost_augmented_score", augmented_score)
        self.log("inference_score", inference_score)
        return loss
