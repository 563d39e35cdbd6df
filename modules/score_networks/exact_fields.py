"""Exact inference in a score network: sums, maxima and draws over all outputs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Optional, Tuple

import torch

from ..dependency_trees import are_trees
from ..output_spaces import DependencyTreeOutputSpace, OutputSpace
from .chain import Chain, chain_of, chain_states, check_chain, has_chain
from .constraints import Constraints
from .score_network import ScoreNetwork, check_sum, is_sum
from .tree_field import TreeField, check_tree, has_tree, tree_of
from .unique import best_with_unique


class ExactField(ABC):
    """The distribution p(y) ∝ exp s(x, y) over all outputs y of the instances of a batch.

    Outputs are `(batch, count, *event_shape)`.
    """

    @property
    @abstractmethod
    def scores(self) -> Tuple[torch.Tensor, ...]:
        """The scores of which s is a sum, without those of masked positions."""

    @property
    @abstractmethod
    def position_shape(self) -> Tuple[int, ...]:
        """The shape of the numbers that decide a draw."""

    @abstractmethod
    def log_partition(self) -> torch.Tensor:
        """Return log Σ_y exp s(x, y), `(batch,)`; differentiable."""

    @abstractmethod
    def best(self, count: int) -> torch.Tensor:
        """Return the outputs of the highest scores, best first; where there are fewer, the last one
        is repeated."""

    @abstractmethod
    def draws(self, count: int, numbers: Optional[torch.Tensor] = None) -> torch.Tensor:
        """Draw outputs; uniform numbers `(count, *position_shape)` decide those of all instances,
        where they are given."""

    @abstractmethod
    def mean_logits(self) -> torch.Tensor:
        """Return the logits of E[y], `(batch, *event_shape)`."""


class ExactInference(ABC):
    """The kind of exact inference that a score network has."""

    lists_best = True
    """Whether a field has several best outputs."""

    def __init__(self, score_network: ScoreNetwork) -> None:
        self.score_network = score_network

    @abstractmethod
    def field(self, x: Any, mask: Optional[torch.Tensor]) -> ExactField:
        """Return the field of the score network for x."""

    def true_output(self, truth: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return a true output `(batch, 1, *event_shape)` as one that has a probability.

        # Raises

        `ValueError` for a true output that constraints do not allow.
        """
        del mask  # most fields are over all outputs
        return truth


@dataclass(frozen=True)
class ChainField(ExactField):
    """A linear chain over `num_tags` tags, or a semi-Markov field as a chain over `states`,
    `(num_states,)` of tags; the best sequence begins each kind of tag of `opens` `(num_kinds,
    num_states)` at most once."""

    output_space: OutputSpace
    num_tags: int
    chain: Chain
    states: Optional[torch.Tensor] = None
    opens: Optional[torch.Tensor] = None

    @property
    def scores(self) -> Tuple[torch.Tensor, ...]:
        return self.chain.potentials[self.chain.mask], self.chain.transitions

    @property
    def position_shape(self) -> Tuple[int, ...]:
        return tuple(self.chain.mask.shape[1:])

    def within(
        self, constraints: Optional[Constraints], opens: Optional[torch.Tensor]
    ) -> "ChainField":
        """Return the field over the sequences of tags that constraints allow; the best one begins
        each kind of tag of `opens` `(num_kinds, num_tags)` at most once."""
        if self.states is not None:
            constraints = None if constraints is None else constraints.of_states(self.states)
            opens = None if opens is None else opens[:, self.states]
        return replace(self, chain=self.chain.constrained(constraints), opens=opens)

    def log_partition(self) -> torch.Tensor:
        return self.chain.log_partition()

    def best(self, count: int) -> torch.Tensor:
        if self.opens is not None:
            return self._encoded(best_with_unique(self.chain, self.opens).unsqueeze(1))
        if count == 1:
            return self._encoded(self.chain.best().unsqueeze(1))
        return self._encoded(self.chain.best_ones(count))

    def draws(self, count: int, numbers: Optional[torch.Tensor] = None) -> torch.Tensor:
        return self._encoded(self.chain.draws(count, numbers))

    def mean_logits(self) -> torch.Tensor:
        tags = self.chain.probabilities()
        if self.states is not None:
            zeros = tags.new_zeros(*tags.shape[:2], self.num_tags)
            tags = zeros.index_add(2, self.states, tags)
        tags = tags.masked_fill(~self.chain.mask.unsqueeze(2), 1 / tags.shape[2])
        return self.output_space.logits_of(tags)

    def _encoded(self, tags: torch.Tensor) -> torch.Tensor:
        tags = tags if self.states is None else self.states[tags]
        y = self.output_space.encode(tags.flatten(0, 1), self.chain.potentials.dtype)
        return y.view(*tags.shape, -1)


class ChainInference(ExactInference):
    """Of the structured score `linear-chain` or `semi-markov`, by the forward-backward algorithm
    and Viterbi's."""

    def __init__(self, score_network: ScoreNetwork) -> None:
        super().__init__(score_network)
        self.term = check_chain(score_network)

    def field(self, x: Any, mask: Optional[torch.Tensor]) -> ChainField:
        space, size = self.score_network.output_space, self.score_network.logits_size
        assert size is not None
        chain = chain_of(self.score_network, x, mask)
        return ChainField(space, size, chain, chain_states(self.score_network))

    def true_output(self, truth: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        self.term.check_allowed(truth, mask)
        return truth


@dataclass(frozen=True)
class ClosedSetsField(ExactField):
    """A field over closed sets of labels, whose edges are those of a tree."""

    output_space: OutputSpace
    tree: TreeField

    @property
    def scores(self) -> Tuple[torch.Tensor, ...]:
        return (self.tree.potentials[self.tree.mask],)

    @property
    def position_shape(self) -> Tuple[int, ...]:
        return self.output_space.position_shape(tuple(self.tree.potentials.shape[1:]))

    def log_partition(self) -> torch.Tensor:
        return self.tree.log_partition()

    def best(self, count: int) -> torch.Tensor:
        y = self.output_space.encode(self.tree.best(), self.tree.potentials.dtype)
        return y.expand(-1, count, *y.shape[2:])

    def draws(self, count: int, numbers: Optional[torch.Tensor] = None) -> torch.Tensor:
        logits = self.tree.logits()
        if numbers is None:
            return self.output_space.sample(logits, count)
        return self.output_space.draw_at(logits, numbers.to(logits.device))

    def mean_logits(self) -> torch.Tensor:
        return self.tree.logits()


class TaxonomyInference(ExactInference):
    """Of the structured score `taxonomy` of a tree, by messages from the leaves to the roots."""

    lists_best = False

    def __init__(self, score_network: ScoreNetwork) -> None:
        super().__init__(score_network)
        check_tree(score_network)

    def field(self, x: Any, mask: Optional[torch.Tensor]) -> ClosedSetsField:
        tree = tree_of(self.score_network, x, mask)
        return ClosedSetsField(self.score_network.output_space, tree)


@dataclass(frozen=True)
class ArcsField(ExactField):
    """A field over dependency trees, whose score is the sum of the potentials `(batch,
    *event_shape)` of their arcs."""

    output_space: DependencyTreeOutputSpace
    potentials: torch.Tensor
    mask: Optional[torch.Tensor]

    @property
    def scores(self) -> Tuple[torch.Tensor, ...]:
        return (self.potentials if self.mask is None else self.potentials[self.mask],)

    @property
    def position_shape(self) -> Tuple[int, ...]:
        return self.output_space.position_shape(tuple(self.potentials.shape[1:]))

    def log_partition(self) -> torch.Tensor:
        return self.output_space.log_partition(self.potentials).to(self.potentials.dtype)

    def best(self, count: int) -> torch.Tensor:
        space, potentials = self.output_space, self.potentials
        if count == 1:
            return space.encode(space.decode(potentials), potentials.dtype)
        labels = space.best_ones(potentials, count)
        y = space.encode(labels.flatten(0, 1), potentials.dtype)
        return y.view(*labels.shape, -1)

    def draws(self, count: int, numbers: Optional[torch.Tensor] = None) -> torch.Tensor:
        if numbers is None:
            return self.output_space.sample(self.potentials, count)
        return self.output_space.draw_at(self.potentials, numbers.to(self.potentials.device))

    def mean_logits(self) -> torch.Tensor:
        return self.output_space.logits_of(self.output_space.means(self.potentials))


class ArcInference(ExactInference):
    """Of dependency trees without structured scores, by the matrix-tree theorem and spanning trees,
    or for projective ones by the inside algorithm and Eisner's."""

    def __init__(self, score_network: ScoreNetwork) -> None:
        super().__init__(score_network)
        check_sum(score_network)

    @property
    def output_space(self) -> DependencyTreeOutputSpace:
        """The space of the trees."""
        space = self.score_network.output_space
        assert isinstance(space, DependencyTreeOutputSpace)
        return space

    def field(self, x: Any, mask: Optional[torch.Tensor]) -> ArcsField:
        return ArcsField(self.output_space, self.score_network.potentials(x, mask), mask)

    def true_output(self, truth: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the true trees; in place of one that is no output, such as one with arcs that
        cross among projective trees, the nearest output."""
        space = self.output_space
        heads = truth[:, 0].argmax(-1) // space.num_relations
        heads = heads if mask is None else heads.masked_fill(~mask, 0)
        if bool(are_trees(heads, mask, space.single_root, space.projective).all()):
            return truth
        nearest = space.decode(space.with_mask(truth[:, 0], mask))
        return space.encode(nearest, truth.dtype)


def _has_arcs(score_network: ScoreNetwork) -> bool:
    """Return whether the outputs of a score network are dependency trees, and its only term is the
    local one, of arcs."""
    space = getattr(score_network, "output_space", None)
    terms = list(getattr(score_network, "structured_scores", []))
    return isinstance(space, DependencyTreeOutputSpace) and not terms


def has_exact_inference(score_network: ScoreNetwork) -> bool:
    """Return whether a score network is a sum of terms that have a kind of exact inference."""
    kinds = (_has_arcs, has_tree, has_chain)
    return is_sum(score_network) and any(has_kind(score_network) for has_kind in kinds)


def exact_inference(score_network: ScoreNetwork) -> ExactInference:
    """Return the exact inference of a score network.

    # Raises

    `ConfigurationError` for other terms, a mean over positions, a taxonomy that is no tree, and the
    coherence `max`.
    """
    if _has_arcs(score_network):
        return ArcInference(score_network)
    if has_tree(score_network):
        return TaxonomyInference(score_network)
    return ChainInference(score_network)
