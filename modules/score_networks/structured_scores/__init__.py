"""The terms of a score network over the outputs alone."""

from .chains import LinearChainScore, SkipChainScore
from .feedforward import FeedForwardStructuredScore
from .structured_score import StructuredScore

__all__ = [
    "FeedForwardStructuredScore",
    "LinearChainScore",
    "SkipChainScore",
    "StructuredScore",
]
