"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .multi_label import MultiLabelScoreNetwork
from .score_network import ScoreNetwork
from .structured_scores import FeedForwardStructuredScore, StructuredScore

__all__ = [
    "FeedForwardStructuredScore",
    "MultiLabelScoreNetwork",
    "ScoreNetwork",
    "StructuredScore",
]
