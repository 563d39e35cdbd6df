"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .chain import Chain, chain_of, check_chain
from .multi_label import MultiLabelScoreNetwork
from .score_network import ScoreNetwork
from .sequence_tagging import SequenceTaggingScoreNetwork
from .structured_scores import (
    ConvolutionalScore,
    FeedForwardStructuredScore,
    HighOrderScore,
    LabelLanguageModelScore,
    LinearChainScore,
    SelfAttentionScore,
    SkipChainScore,
    StructuredScore,
)

__all__ = [
    "Chain",
    "ConvolutionalScore",
    "FeedForwardStructuredScore",
    "HighOrderScore",
    "LabelLanguageModelScore",
    "LinearChainScore",
    "MultiLabelScoreNetwork",
    "ScoreNetwork",
    "SelfAttentionScore",
    "SequenceTaggingScoreNetwork",
    "SkipChainScore",
    "StructuredScore",
    "chain_of",
    "check_chain",
]
