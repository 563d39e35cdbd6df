"""The encoding of the task network, for score networks."""

from typing import Any, Optional

import torch

from ..encoders import Encoder
from ..networks import share
from .task_network import TaskNetwork


@Encoder.register("task-network")
class TaskNetworkEncoder(Encoder):
    """h of the task network, as an encoder of the score network.

    The task network computes h once for a batch, with its dropout where it is trained, and the
    score network reads it. The weights remain the task network's own.

    # Parameters

    detach : `bool`
        Whether h is a constant for the gradients of the score network. With `False` the losses of
        the task network that pass through the score also reach the task network through h.
    """

    task_network: TaskNetwork
    takes_encoded = True

    def __init__(self, task_network: TaskNetwork, detach: bool = True) -> None:
        super().__init__()
        share(self, "task_network", task_network)
        self.detach = detach
        self.position_dims = task_network.encoder.position_dims
        self.output_size = task_network.encoder.output_size

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        h = self.task_network.hidden(x, mask)
        return h.detach() if self.detach else h
