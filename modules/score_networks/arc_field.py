"""Exact inference over dependency trees, whose score is a sum over arcs."""

from ..output_spaces import DependencyTreeOutputSpace
from .score_network import ScoreNetwork


def has_arcs(score_network: ScoreNetwork) -> bool:
    """Return whether the outputs of a score network are dependency trees, and its score is a sum
    over their arcs: it has a local term, no structured score, and is no mean over positions."""
    return (
        isinstance(getattr(score_network, "output_space", None), DependencyTreeOutputSpace)
        and not list(getattr(score_network, "structured_scores", []))
        and getattr(score_network, "positions", "sum") == "sum"
    )


def space_of_arcs(score_network: ScoreNetwork) -> DependencyTreeOutputSpace:
    """Return the output space of a score network that `has_arcs`."""
    space = score_network.output_space
    assert isinstance(space, DependencyTreeOutputSpace)
    return space
