"""The cross-entropy of the task network's logits."""

from typing import Any, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError

from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .label_weights import BalancedWeights
from .loss import Loss, Reduction

BALANCED = "balanced"


@Loss.register("cross-entropy")
class CrossEntropyLoss(Loss):
    """−log p(y* | logits), summed over real positions; one value for each instance and sample.

    With weights c of the labels it is −Σ_i [c_i y*_i log p_i + (1 − y*_i) log(1 − p_i)] for sets of
    labels and pixels, and −Σ_p c_{y*_p} log p_p(y*_p) for tags. In the space `hierarchical` with
    the coherence `max` it is the loss MCLoss of Giunchiglia & Lukasiewicz (2020, equation 3).

    # Parameters

    pos_weight : `float`, `List[float]` or `"balanced"`, optional
        c: one weight for all labels, or a list in the order of the vocabulary. `"balanced"`
        computes it from the training data before the first step: the negatives for each positive
        of a label of a set, or the number of tokens over K times those with the tag, of K tags. It
        is saved with the weights of the model.
    pos_weight_limit : `float`, optional
        The limit of balanced weights, which lie between 1 / limit and limit.

    # Raises

    `ConfigurationError` for weights below 0, another word, and a limit below 1 or without need.
    `ValueError` if the sampler returns no logits, if the weights are not as many as the labels, and
    for balanced weights without training data.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        pos_weight: Optional[Union[float, List[float], str]] = None,
        pos_weight_limit: Optional[float] = None,
        reduction: Reduction = "mean",
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(reduction, log_key)
        self.output_space = output_space
        self.pos_weight: Optional[torch.Tensor] = None
        self.balanced: Optional[BalancedWeights] = None
        if pos_weight == BALANCED:
            self.balanced = BalancedWeights(output_space, pos_weight_limit)
        elif isinstance(pos_weight, str) or pos_weight_limit is not None:
            raise ConfigurationError(
                f"Expected a pos_weight that is a number, a list of numbers or '{BALANCED}', and a "
                f"pos_weight_limit only beside '{BALANCED}', in the loss 'cross-entropy', got "
                f"{pos_weight!r} and {pos_weight_limit}."
            )
        elif pos_weight is not None:
            self.pos_weight = torch.tensor(pos_weight, dtype=torch.get_default_dtype())
            if not bool((self.pos_weight >= 0).all()):
                raise ConfigurationError(
                    "Expected weights of at least 0 in pos_weight of the loss 'cross-entropy', got "
                    f"{self.pos_weight.min()}."
                )

    def compute(
        self, x: Any, truth: torch.Tensor, sample: SamplerOutput, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if sample.logits is None:
            raise ValueError(
                "Expected a sampler that returns logits for the loss 'cross-entropy', got one "
                "without; use the sampler 'inference-network'."
            )
        weights = self._weights(truth)
        values = self.output_space.position_log_likelihood(sample.logits, truth, mask)
        if weights is not None:
            values = self.output_space.position_weight(truth, weights) * values
        return -self.output_space.sum_positions(values, mask)

    def _weights(self, truth: torch.Tensor) -> Optional[torch.Tensor]:
        """Return the weights of the labels, checked, or `None` where all are 1."""
        weights = self.pos_weight if self.balanced is None else self.balanced.weights
        if weights is None:
            return None
        if self.balanced is not None and not self.balanced.is_fitted:
            raise ValueError(
                "Expected balanced weights that are fitted to training data in the loss "
                "'cross-entropy', got none; call prepare(data_loader) of the model, as a trainer "
                "does."
            )
        if weights.dim() and weights.shape != truth.shape[-1:]:
            raise ValueError(
                f"Expected a weight for each of {truth.shape[-1]} labels in pos_weight of the loss "
                f"'cross-entropy', got {len(weights)}."
            )
        return weights.to(truth)
