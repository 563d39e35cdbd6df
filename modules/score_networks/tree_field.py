"""Exact inference in tree-structured fields over closed sets of labels."""

from typing import Any, Callable, List, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..output_spaces import HierarchicalOutputSpace
from .score_network import ScoreNetwork, check_sum
from .structured_scores import TaxonomyScore

Reduction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Messages(NamedTuple):
    """The scores of the best, or of all, outputs of the labels below each label and itself,
    `(batch, num_labels)`, where it is on and where it is off."""

    on: torch.Tensor
    off: torch.Tensor


class TreeField(NamedTuple):
    """The scores of a field over closed sets, of a batch: s(y) is the sum of the potentials of the
    labels that are on, and of those of the edges of a tree. A label outside the mask counts as
    off, and has no edges."""

    potentials: torch.Tensor  # (batch, num_labels)
    both: torch.Tensor  # (num_labels,), of the edge to the label: it and its parent are on
    only_parent: torch.Tensor  # (num_labels,)
    neither: torch.Tensor  # (num_labels,)
    mask: torch.Tensor  # (batch, num_labels)
    output_space: HierarchicalOutputSpace

    def log_partition(self) -> torch.Tensor:
        """Return log Σ_y exp s(y) over closed sets, `(batch,)`; differentiable."""
        messages = self._messages(torch.logaddexp)
        roots = self.output_space.hierarchy(self.potentials).is_root
        return torch.logaddexp(messages.on, messages.off)[:, roots].sum(1)

    def best(self) -> torch.Tensor:
        """Return the closed sets with the highest score, bool `(batch, num_labels)`."""
        with torch.no_grad():
            logits = self._logits(torch.maximum)
            return self.output_space.hierarchy(logits).all_above(logits > 0)

    def logits(self) -> torch.Tensor:
        """Return the logits of each label where its parent is on, `(batch, num_labels)`: those with
        which the output space has the distribution p(y) ∝ exp s(y); differentiable."""
        return self._logits(torch.logaddexp)

    def _logits(self, reduce: Reduction) -> torch.Tensor:
        messages = self._messages(reduce)
        return self._edge(self.both) + messages.on - self._edge(self.only_parent) - messages.off

    def _edge(self, weights: torch.Tensor) -> torch.Tensor:
        """Return the weights of the edge to each label, 0 where one of its ends is not known."""
        hierarchy = self.output_space.hierarchy(self.potentials)
        known = self.mask & (hierarchy.lowest_parent(self.mask.to(torch.uint8), of_roots=0) > 0)
        return weights.expand_as(self.potentials).masked_fill(~known, 0.0)

    def _messages(self, reduce: Reduction) -> Messages:
        lowest = -1e9 if self.potentials.dtype != torch.float16 else -3e4
        on = self.potentials.masked_fill(~self.mask, lowest)
        off = torch.zeros_like(on)
        both, only_parent, neither = map(self._edge, (self.both, self.only_parent, self.neither))
        hierarchy = self.output_space.hierarchy(on)
        for level in reversed(hierarchy.levels[1:]):
            c = level.children
            above_on = reduce(both[:, c] + on[:, c], only_parent[:, c] + off[:, c])
            on = on.index_add(1, level.parents, above_on)
            off = off.index_add(1, level.parents, neither[:, c] + off[:, c])
        return Messages(on, off)


def has_tree(score_network: ScoreNetwork) -> bool:
    """Return whether the only structured score of a network is `taxonomy`."""
    terms: List[Any] = list(getattr(score_network, "structured_scores", []))
    return len(terms) == 1 and isinstance(terms[0], TaxonomyScore)


def check_tree(score_network: ScoreNetwork) -> TaxonomyScore:
    """Return the term of a score network that `has_tree`.

    # Raises

    `ConfigurationError` where the taxonomy is no tree, for the coherence `max`, and for a mean over
    positions.
    """
    check_sum(score_network)
    space = score_network.output_space
    if not isinstance(space, HierarchicalOutputSpace) or not space.taxonomy.is_tree:
        raise ConfigurationError(
            "Expected a taxonomy that is a tree, in which inference is exact, got one with several "
            "parents of a term; use another sampler and loss, such as 'gibbs-with-gradients' and "
            "'contrastive-divergence'."
        )
    if space.coherence != "conditional":
        raise ConfigurationError(
            "Expected the coherence 'conditional' of the output space 'hierarchical' for exact "
            f"inference, got '{space.coherence}'."
        )
    term: Any = score_network.structured_scores[0]
    assert isinstance(term, TaxonomyScore)
    return term


def tree_of(score_network: ScoreNetwork, x: Any, mask: Optional[torch.Tensor]) -> TreeField:
    """Return the field of a score network for x."""
    term = check_tree(score_network)
    space = score_network.output_space
    assert isinstance(space, HierarchicalOutputSpace)
    potentials = score_network.potentials(x, mask)
    if mask is None:
        mask = torch.ones_like(potentials, dtype=torch.bool)

    def of_labels(weights: torch.Tensor) -> torch.Tensor:
        zeros = torch.zeros_like(potentials[0])
        return zeros.index_put((term.below,), weights.to(zeros.dtype))

    both, only_parent, neither = map(of_labels, (term.both, term.only_parent, term.neither))
    return TreeField(potentials, both, only_parent, neither, mask, space)
