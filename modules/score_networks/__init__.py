"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .arc_field import has_arcs, space_of_arcs
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
    TaxonomyScore,
)
from .tree_field import TreeField, check_tree, has_tree, tree_of

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
    "TaxonomyScore",
    "TreeField",
    "chain_of",
    "check_chain",
    "check_tree",
    "has_arcs",
    "has_tree",
    "space_of_arcs",
    "tree_of",
]
