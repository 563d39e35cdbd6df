"""Algorithms over dependency trees: sums, best trees and draws, as functions of batched tensors.

The arcs of a sentence of n tokens are an array `(batch, n, n + 1)`: row i has the values of the
heads of token i, column 0 the root, and column j + 1 the token j. A mask `(batch, n)` marks the
tokens that exist. Sums are of exponentials, in double precision and in log space without a
subtraction, so that logits of ±1e4 lose nothing.
"""

from .arcs import LOWEST, candidates, cleaned
from .best_ones import RankedTrees, best_ones
from .draws import draw_trees, value_at
from .matrix_tree import matrix_tree_log_partition
from .projective import best_projective, draw_projective, inside_log_partition
from .spanning_tree import best_tree, is_projective, is_tree
from .trees import are_trees, best_heads, log_partition, marginals

__all__ = [
    "LOWEST",
    "RankedTrees",
    "are_trees",
    "best_heads",
    "best_ones",
    "best_projective",
    "best_tree",
    "candidates",
    "cleaned",
    "draw_projective",
    "draw_trees",
    "inside_log_partition",
    "is_projective",
    "is_tree",
    "log_partition",
    "marginals",
    "matrix_tree_log_partition",
    "value_at",
]
