"""Score networks s(x, y): how well an output y fits an input x; higher is better."""

from .arc_field import has_arcs, space_of_arcs
from .chain import Chain, ChainMeans, chain_of, chain_states, check_chain, has_chain
from .constraints import Constraints, constraints_of
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
    SemiMarkovScore,
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
    "SemiMarkovScore",
    "SkipChainScore",
    "StructuredScore",
    "TaxonomyScore",
    "TreeField",
    "best_with_unique",
    "chain_of",
    "check_chain",
    "check_tree",
    "constraints_of",
    "chain_states",
    "has_arcs",
    "has_chain",
    "has_tree",
    "space_of_arcs",
    "tree_of",
]
