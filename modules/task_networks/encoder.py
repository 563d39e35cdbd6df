"""The encoding of the task network, for score networks."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoders import Encoder
from ..networks import share
from .cross_fitted import CrossFittedTaskNetwork
from .task_network import TaskNetwork


@Encoder.register("task-network")
class TaskNetworkEncoder(Encoder):
    """h or the logits of the task network, as an encoder of the score network.

    The task network computes h once for a batch, with its dropout where it is trained, and the
    score network reads it. The weights remain the task network's own.

    # Parameters

    detach : `bool`
        Whether h is a constant for the gradients of the score network. With `False` the losses of
        the task network that pass through the score also reach the task network through h.
    output : `"hidden"` or `"logits"`
        The part of the task network's encoding; logits are one vector for each instance or token.

    # Raises

    `ConfigurationError` for the h of a cross-fitted task network, which is that of several
    networks.
    """

    task_network: TaskNetwork
    takes_encoded = True

    def __init__(
        self,
        task_network: TaskNetwork,
        detach: bool = True,
        output: Literal["hidden", "logits"] = "hidden",
    ) -> None:
        super().__init__()
        if output not in ("hidden", "logits"):
            raise ConfigurationError(
                "Expected the output 'hidden' or 'logits' in the encoder 'task-network', got "
                f"'{output}'."
            )
        if output == "hidden" and isinstance(task_network, CrossFittedTaskNetwork):
            raise ConfigurationError(
                "Expected the output 'logits' in the encoder 'task-network' of a task network that "
                "is 'cross-fitted', got 'hidden', which is that of several networks."
            )
        share(self, "task_network", task_network)
        self.detach = detach
        self.output = output
        self.position_dims = task_network.encoder.position_dims
        self.output_size = (
            task_network.encoder.output_size if output == "hidden" else task_network.output_size
        )

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if self.output == "hidden":
            h = self.task_network.hidden(x, mask)
        else:
            h = self.task_network.latest_logits(x, mask)
        return h.detach() if self.detach else h
