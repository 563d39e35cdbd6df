"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .chain import Chain, chain_of, check_chain
from .multi_label import MultiLabelScoreNetwork
from .score_network import ScoreNetwork
from .segmentation import ImageAndMaskScore, SegmentationScoreNetwork
from .sequence_tagging import SequenceTaggingScoreNetwork
from .structured_scores import (
    ConvolutionalScore,
    FeedForwardStructuredScore,
    GridScore,
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
    "GridScore",
    "HighOrderScore",
    "ImageAndMaskScore",
    "LabelLanguageModelScore",
    "LinearChainScore",
    "MultiLabelScoreNetwork",
    "ScoreNetwork",
    "SegmentationScoreNetwork",
    "SelfAttentionScore",
    "SequenceTaggingScoreNetwork",
    "SkipChainScore",
    "StructuredScore",
    "chain_of",
    "check_chain",
]
