"""Exact inference in linear chains, trees of labels, and dependency trees."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..losses import Loss
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ChainField, Constraints, ExactField, ScoreNetwork, exact_inference
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
        The number of outputs for each instance; where there are fewer, the last one is repeated.
    kind : `"best"`, `"draws"` or `"means"`
        Whether to return the best outputs, draws or E[y].
    seed : `int`, optional
        Of draws that are stratified and have random numbers of their own, the same for all
        instances and in every call; by default they have those of torch.

    # Raises

    `ConfigurationError` for a score network that is none of these, several best outputs of a tree
    of labels, and several means.
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
        kinds = ("best", "draws", "means")
        if num_samples < 1 or kind not in kinds:
            raise ConfigurationError(
                f"Expected at least 1 sample and a kind among {list(kinds)} in the sampler "
                f"'exact', got {num_samples} and '{kind}'."
            )
        self.inference = exact_inference(score_network)
        if num_samples > 1 and (
            kind == "means" or (kind == "best" and not self.inference.lists_best)
        ):
            of = "" if self.inference.lists_best else " of a tree of labels"
            raise ConfigurationError(
                f"Expected num_samples 1 with the kind '{kind}' in the sampler 'exact'{of}, "
                f"got {num_samples}."
            )
        self.score_network = score_network
        self.num_samples = num_samples
        self.kind = kind
        self.seed = seed
        self.has_logits = kind == "means"

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.no_grad():
            return self._propose(self.inference.field(x, mask), x, mask)

    def propose_within(
        self,
        constraints: Optional[Constraints],
        opens: Optional[torch.Tensor],
        x: Any,
        mask: Optional[torch.Tensor],
    ) -> SamplerOutput:
        """Return the proposals among the sequences of tags that constraints allow; the best one
        begins each kind of tag at most once, where `opens` `(num_kinds, num_tags)` is given. The
        score network is a chain."""
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.no_grad():
            field = self.inference.field(x, mask)
            assert isinstance(field, ChainField)
            return self._propose(field.within(constraints, opens), x, mask)

    def _propose(
        self, field: ExactField, x: Encoded, mask: Optional[torch.Tensor]
    ) -> SamplerOutput:
        self.check_scores(*field.scores)
        if self.kind == "best":
            return SamplerOutput(field.best(self.num_samples))
        if self.kind == "means":
            logits = field.mean_logits().unsqueeze(1)
            return SamplerOutput(self.output_space.normalize(logits), logits)
        numbers = None
        if self.seed is not None:
            numbers = stratified_numbers(self.seed, self.num_samples, field.position_shape)
        y = field.draws(self.num_samples, numbers)
        log_prob = self.score_network(x, y, mask) - field.log_partition().unsqueeze(1)
        return SamplerOutput(y, log_prob=log_prob)
