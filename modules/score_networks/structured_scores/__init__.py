"""The terms of a score network over the outputs alone."""

from .chains import LinearChainScore, SkipChainScore
from .feedforward import FeedForwardStructuredScore
from .grid import GridScore
from .structured_score import StructuredScore, construct_scores
from .whole_sequences import LabelLanguageModelScore, SelfAttentionScore
from .windows import ConvolutionalScore, HighOrderScore

__all__ = [
    "ConvolutionalScore",
    "FeedForwardStructuredScore",
    "GridScore",
    "HighOrderScore",
    "LabelLanguageModelScore",
    "LinearChainScore",
    "SelfAttentionScore",
    "SkipChainScore",
    "StructuredScore",
    "construct_scores",
]
