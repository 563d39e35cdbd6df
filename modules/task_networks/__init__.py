"""The task network (inference network): x to the logits of y in one forward pass."""

from .cross_fitted import CrossFittedTaskNetwork
from .encoder import TaskNetworkEncoder
from .task_network import TaskNetwork

__all__ = ["CrossFittedTaskNetwork", "TaskNetwork", "TaskNetworkEncoder"]
