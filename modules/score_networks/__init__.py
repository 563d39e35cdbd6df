"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .chain import Chain, chain_of, check_chain
from .score_network import ScoreNetwork
from .structured_scores import (
    AutoregressivePixelsScore,
    CardinalityScore,
    ClassifierChainScore,
    ConditionalFeedForwardScore,
    ConvolutionalScore,
    EncodingAndMaskScore,
    FeedForwardStructuredScore,
    GridScore,
    HighOrderScore,
    ImageAndMaskScore,
    LabelAttentionScore,
    LabelLanguageModelScore,
    LinearChainScore,
    PairwiseScore,
    ScaledLogitsScore,
    SelfAttentionScore,
    SkipChainScore,
    StructuredScore,
)

__all__ = [
    "AutoregressivePixelsScore",
    "CardinalityScore",
    "ClassifierChainScore",
    "PairwiseScore",
    "ScaledLogitsScore",
    "Chain",
    "ConditionalFeedForwardScore",
    "ConvolutionalScore",
    "EncodingAndMaskScore",
    "FeedForwardStructuredScore",
    "GridScore",
    "HighOrderScore",
    "ImageAndMaskScore",
    "LabelAttentionScore",
    "LabelLanguageModelScore",
    "LinearChainScore",
    "ScoreNetwork",
    "SelfAttentionScore",
    "SkipChainScore",
    "StructuredScore",
    "chain_of",
    "check_chain",
]
