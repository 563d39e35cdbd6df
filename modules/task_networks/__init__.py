"""Task networks (inference networks): x to the logits of y in one forward pass."""

from .multi_label import MultiLabelTaskNetwork
from .sequence_tagging import SequenceTaggingTaskNetwork
from .task_network import TaskNetwork

__all__ = ["MultiLabelTaskNetwork", "SequenceTaggingTaskNetwork", "TaskNetwork"]
