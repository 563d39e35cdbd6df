"""Exact inference in linear chains and trees."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork, chain_of, check_chain, check_tree, has_tree, tree_of
from .sampler import Sampler


@Sampler.register("exact")
class ExactSampler(Sampler):
    """The outputs of the highest scores, best first, or exact draws from p(y | x) ∝ exp s(x, y)
    with their log-probabilities, or the means of that distribution. The score network must be a
    linear chain, or a tree over closed sets of labels (the structured score `taxonomy`).

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.
    kind : `"best"`, `"draws"` or `"means"`
        Whether to return the best outputs, draws or, of a tree, E[y], the probabilities of labels.

    # Raises

    `ConfigurationError` for a score network that is neither, several best outputs of a tree, and
    the means of a chain.
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
        self.is_tree = has_tree(score_network)
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
        check_tree(score_network) if self.is_tree else check_chain(score_network)
        self.score_network = score_network
        self.num_samples = num_samples
        self.kind = kind

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
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
