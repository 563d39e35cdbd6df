"""The output of the inference network as a sample."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..task_networks import TaskNetwork
from .cost_augmented_network import CostAugmentedNetwork
from .sampler import Sampler


@Sampler.register("inference-network")
class InferenceNetworkSampler(Sampler):
    """ỹ = normalize(A(x)), the task network's output, as the only proposal (Tu & Gimpel 2018).

    With a separate cost-augmented network F (Tu et al. 2020), and if the truth is known, the sample
    also contains ŷ = normalize(F(A(x), y*)). Differentiable through both networks.

    # Parameters

    loss : `Loss`, optional
        The loss of both networks, for example `inference`.
    cost_augmented_network : `Lazy[CostAugmentedNetwork]`, optional
        F. Without it, the inference output also serves as the cost-augmented output.
    """

    has_logits = True
    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        loss: Optional[Loss] = None,
        cost_augmented_network: Optional[Lazy[CostAugmentedNetwork]] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        self.task_network = task_network
        self.cost_augmented_network = (
            None
            if cost_augmented_network is None
            else cost_augmented_network.construct(
                output_space=output_space, output_size=task_network.output_size
            )
        )

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask).unsqueeze(1)
        cost_augmented = None
        if self.cost_augmented_network is not None and truth is not None:
            augmented_logits = self.cost_augmented_network(logits, truth, mask)
            cost_augmented = self.output_space.normalize(augmented_logits)
        return SamplerOutput(self.output_space.normalize(logits), logits, cost_augmented)
