"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .chain import Chain, ChainMeans, chain_of, check_chain, has_chain
from .constraints import Constraints, check_tags, constraints_of
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
    TaxonomyScore,
)
from .tree_field import TreeField, check_tree, has_tree, tree_of
from .unique import best_with_unique

__all__ = [
    "AutoregressivePixelsScore",
    "CardinalityScore",
    "ClassifierChainScore",
    "PairwiseScore",
    "ScaledLogitsScore",
    "Chain",
    "ChainMeans",
    "Constraints",
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
    "TaxonomyScore",
    "TreeField",
    "best_with_unique",
    "chain_of",
    "check_chain",
    "check_tags",
    "check_tree",
    "constraints_of",
    "has_chain",
    "has_tree",
    "tree_of",
]
