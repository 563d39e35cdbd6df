"""The terms of a score network over all positions of an output."""

from .autoregressive import AutoregressivePixelsScore, ClassifierChainScore
from .chains import LinearChainScore, SkipChainScore
from .conditional import ConditionalFeedForwardScore, LabelAttentionScore
from .dependencies import GrandparentScore, PairsOfArcsScore, SiblingScore
from .feedforward import FeedForwardStructuredScore
from .grid import GridScore
from .images import EncodingAndMaskScore, ImageAndMaskScore
from .labels import CardinalityScore, PairwiseScore, ScaledLogitsScore
from .segments import SemiMarkovScore
from .structured_score import StructuredScore, construct_scores
from .taxonomy import TaxonomyScore
from .whole_sequences import LabelLanguageModelScore, SelfAttentionScore
from .windows import ConvolutionalScore, HighOrderScore

__all__ = [
    "AutoregressivePixelsScore",
    "CardinalityScore",
    "ClassifierChainScore",
    "ConditionalFeedForwardScore",
    "ConvolutionalScore",
    "EncodingAndMaskScore",
    "FeedForwardStructuredScore",
    "GrandparentScore",
    "GridScore",
    "HighOrderScore",
    "ImageAndMaskScore",
    "LabelAttentionScore",
    "LabelLanguageModelScore",
    "LinearChainScore",
    "PairsOfArcsScore",
    "PairwiseScore",
    "ScaledLogitsScore",
    "SelfAttentionScore",
    "SemiMarkovScore",
    "SiblingScore",
    "SkipChainScore",
    "StructuredScore",
    "TaxonomyScore",
    "construct_scores",
]
