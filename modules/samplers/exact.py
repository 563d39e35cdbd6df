"""Exact inference in linear chains, trees of labels, and dependency trees."""

from typing import Any, Literal, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import (
    Chain,
    Constraints,
    ScoreNetwork,
    best_with_unique,
    chain_of,
    chain_states,
    check_chain,
    check_tree,
    has_arcs,
    has_tree,
    space_of_arcs,
    tree_of,
)
from .sampler import Sampler
from .tempered_draws import stratified_numbers


@Sampler.register("exact")
class ExactSampler(Sampler):
    """The outputs of the highest scores, best first, or exact draws from p(y | x) ∝ exp s(x, y)
    with their log-probabilities, or the means of that distribution, which are the probabilities of
    the tags of each token, of labels, or of arcs. The score network must be a linear chain, a
    semi-Markov field, a tree over closed sets of labels (the structured score `taxonomy`), or in
    the space `dependency-tree` one without structured scores.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.
    kind : `"best"`, `"draws"` or `"means"`
        Whether to return the best outputs, draws or E[y].
    seed : `int`, optional
        Of draws that are stratified and have random numbers of their own, the same for all
        instances and in every call; by default they have those of torch.

    # Raises

    `ConfigurationError` for a score network that is none of these, several best outputs of a tree,
    several means, and a seed with dependency trees.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_samples: int = 1,
        kind: Literal["best", "draws", "means"] = "best",
        seed: Optional[int] = None,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        self.has_arcs = has_arcs(score_network)
        self.is_tree = self.has_arcs or has_tree(score_network)
        kinds = ("best", "draws", "means")
        if num_samples < 1 or kind not in kinds:
            raise ConfigurationError(
                f"Expected at least 1 sample and a kind among {list(kinds)} in the sampler "
                f"'exact', got {num_samples} and '{kind}'."
            )
        if num_samples > 1 and (kind == "means" or (self.is_tree and kind == "best")):
            of = " of a tree" if self.is_tree else ""
            raise ConfigurationError(
                f"Expected num_samples 1 with the kind '{kind}' in the sampler 'exact'{of}, "
                f"got {num_samples}."
            )
        if self.has_arcs and seed is not None:
            raise ConfigurationError(
                "Expected no seed in the sampler 'exact' of dependency trees, whose draws have the "
                f"random numbers of torch, got {seed}."
            )
        if not self.has_arcs:
            check_tree(score_network) if self.is_tree else check_chain(score_network)
        self.score_network = score_network
        self.num_samples = num_samples
        self.kind = kind
        self.seed = seed
        self.has_logits = kind == "means"

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        return self.propose_within(None, None, x, mask)

    def propose_within(
        self,
        constraints: Optional[Constraints],
        opens: Optional[torch.Tensor],
        x: Any,
        mask: Optional[torch.Tensor],
    ) -> SamplerOutput:
        """Return the proposals among the sequences of tags that constraints allow; the best one
        begins each kind of tag at most once, where `opens` `(num_kinds, num_tags)` is given."""
        x = Encoded.of(x, mask)
        if self.has_arcs:
            return self._of_arcs(x, mask)
        if self.is_tree:
            return self._of_tree(x, mask)
        with frozen(self.score_network), torch.no_grad():
            chain, states = chain_of(self.score_network, x, mask), chain_states(self.score_network)
            if states is not None:
                constraints = None if constraints is None else constraints.of_states(states)
                opens = None if opens is None else opens[:, states]
            chain = chain.constrained(constraints)
            self.check_scores(chain.potentials[chain.mask], chain.transitions)
            if self.kind == "means":
                return self._means(chain, states)
            if self.kind == "draws":
                tags = chain.draws(self.num_samples, self._numbers(chain.mask.shape[1:]))
            elif opens is not None:
                tags = best_with_unique(chain, opens).unsqueeze(1)
            elif self.num_samples == 1:
                tags = chain.best().unsqueeze(1)
            else:
                tags = chain.best_ones(self.num_samples)
            tags = tags if states is None else states[tags]
            encoded = self.output_space.encode(tags.flatten(0, 1), chain.potentials.dtype)
            y = encoded.view(*tags.shape, -1)
            if self.kind == "best":
                return SamplerOutput(y)
            log_prob = self.score_network(x, y, mask) - chain.log_partition().unsqueeze(1)
        return SamplerOutput(y, log_prob=log_prob)

    def _numbers(self, position_shape: Tuple[int, ...]) -> Optional[torch.Tensor]:
        if self.seed is None:
            return None
        return stratified_numbers(self.seed, self.num_samples, tuple(position_shape))

    def _means(self, chain: Chain, states: Optional[torch.Tensor]) -> SamplerOutput:
        """Return the probabilities of the tags, equal ones at masked tokens."""
        tags = chain.probabilities()
        if states is not None:
            size = self.score_network.logits_size
            assert size is not None
            tags = tags.new_zeros(*tags.shape[:2], size).index_add(2, states, tags)
        tags = tags.masked_fill(~chain.mask.unsqueeze(2), 1 / tags.shape[2])
        logits = self.output_space.logits_of(tags).unsqueeze(1)
        return SamplerOutput(self.output_space.normalize(logits), logits)

    def _of_tree(self, x: Encoded, mask: Optional[torch.Tensor]) -> SamplerOutput:
        with frozen(self.score_network), torch.no_grad():
            tree = tree_of(self.score_network, x, mask)
            self.check_scores(tree.potentials[tree.mask])
            if self.kind == "best":
                return SamplerOutput(self.output_space.encode(tree.best(), tree.potentials.dtype))
            logits = tree.logits()
            if self.kind == "means":
                logits = logits.unsqueeze(1)
                return SamplerOutput(self.output_space.normalize(logits), logits)
            numbers = self._numbers(self.output_space.position_shape(tuple(logits.shape[1:])))
            if numbers is None:
                y = self.output_space.sample(logits, self.num_samples)
            else:
                y = self.output_space.draw_at(logits, numbers.to(logits.device))
            return SamplerOutput(y, log_prob=self.output_space.log_prob(logits.unsqueeze(1), y))

    def _of_arcs(self, x: Encoded, mask: Optional[torch.Tensor]) -> SamplerOutput:
        space = space_of_arcs(self.score_network)
        with frozen(self.score_network), torch.no_grad():
            potentials = self.score_network.potentials(x, mask)
            self.check_scores(potentials if mask is None else potentials[mask])
            if self.kind == "best":
                return SamplerOutput(space.encode(space.decode(potentials), potentials.dtype))
            if self.kind == "means":
                y = space.means(potentials).unsqueeze(1)
                return SamplerOutput(y, space.logits_of(y))
            y = space.sample(potentials, self.num_samples)
            return SamplerOutput(y, log_prob=space.log_prob(potentials.unsqueeze(1), y, mask))
