"""Exact inference in linear chains, trees of labels, and dependency trees."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import (
    ScoreNetwork,
    chain_of,
    check_chain,
    check_tree,
    has_arcs,
    has_tree,
    space_of_arcs,
    tree_of,
)
from .sampler import Sampler


@Sampler.register("exact")
class ExactSampler(Sampler):
    """The outputs of the highest scores, best first, or exact draws from p(y | x) ∝ exp s(x, y)
    with their log-probabilities, or the means of that distribution. The score network must be a
    linear chain, a tree over closed sets of labels (the structured score `taxonomy`), or in the
    space `dependency-tree` one without structured scores.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.
    kind : `"best"`, `"draws"` or `"means"`
        Whether to return the best outputs, draws or, of a tree, E[y], the probabilities of labels
        or arcs.

    # Raises

    `ConfigurationError` for a score network that is none of these, several best outputs of a tree,
    and the means of a chain.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_samples: int = 1,
        kind: Literal["best", "draws", "means"] = "best",
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        self.has_arcs = has_arcs(score_network)
        self.is_tree = self.has_arcs or has_tree(score_network)
        kinds = ("best", "draws", "means") if self.is_tree else ("best", "draws")
        if num_samples < 1 or kind not in kinds:
            raise ConfigurationError(
                f"Expected at least 1 sample and a kind among {list(kinds)} in the sampler "
                f"'exact', got {num_samples} and '{kind}'."
            )
        if self.is_tree and kind != "draws" and num_samples > 1:
            raise ConfigurationError(
                f"Expected num_samples 1 with the kind '{kind}' in the sampler 'exact' of a tree, "
                f"got {num_samples}."
            )
        if not self.has_arcs:
            check_tree(score_network) if self.is_tree else check_chain(score_network)
        self.score_network = score_network
        self.num_samples = num_samples
        self.kind = kind

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        if self.has_arcs:
            return self._of_arcs(x, mask)
        if self.is_tree:
            return self._of_tree(x, mask)
        with frozen(self.score_network):
            chain = chain_of(self.score_network, x, mask)
            self.check_scores(chain.potentials[chain.mask], chain.transitions)
            if self.kind == "draws":
                tags = chain.draws(self.num_samples)
            elif self.num_samples == 1:
                tags = chain.best().unsqueeze(1)
            else:
                tags = chain.best_ones(self.num_samples)
            encoded = self.output_space.encode(tags.flatten(0, 1), chain.potentials.dtype)
            y = encoded.view(*tags.shape, -1)
            if self.kind == "best":
                return SamplerOutput(y)
            with torch.no_grad():
                log_prob = self.score_network(x, y, mask) - chain.log_partition().unsqueeze(1)
        return SamplerOutput(y, log_prob=log_prob)

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
            y = self.output_space.sample(logits, self.num_samples)
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
