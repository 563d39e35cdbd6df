"""Task networks (inference networks): x to the logits of y in one forward pass."""

from .multi_label import MultiLabelTaskNetwork
from .segmentation import SegmentationTaskNetwork
from .sequence_tagging import SequenceTaggingTaskNetwork
from .task_network import TaskNetwork

__all__ = [
    "MultiLabelTaskNetwork",
    "SegmentationTaskNetwork",
    "SequenceTaggingTaskNetwork",
    "TaskNetwork",
]
