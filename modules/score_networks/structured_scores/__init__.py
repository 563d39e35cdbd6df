"""The terms of a score network over the outputs alone."""

from .feedforward import FeedForwardStructuredScore
from .structured_score import StructuredScore

__all__ = ["FeedForwardStructuredScore", "StructuredScore"]
