"""Gibbs sampling of discrete outputs, with proposals informed by the gradient."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..logging import LoggedArray, LoggedMean
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput, choose
from ..score_networks import ScoreNetwork
from .iterative import IterativeSampler
from .sampler import Sampler


@Sampler.register("gibbs-with-gradients")
class GibbsWithGradientsSampler(IterativeSampler):
    """Draws of p(y | x) ∝ exp(s(x, y) / temperature) over the discrete outputs y (Grathwohl et al.
    2021, algorithm 1).

    A step changes one position. The move m is proposed with q(m | y) ∝ exp(d_m / 2), d_m the
    change of s / temperature by it to first order in y, and y' accepted with probability
    min(1, exp((s' − s) / temperature) q(m⁻¹ | y') / q(m | y)), so the chain is exact whatever the
    score; one that is linear in y accepts nearly always. A relaxed start is rounded. The features
    of x are computed once, the score network's dropout is off, and no gradient reaches its weights.

    # Parameters

    num_steps : `int`
        Of one position each.
    temperature : `float`
        What the scores are divided by: the higher it is, the more uniform the draws.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_steps: int = 20,
        temperature: float = 1.0,
        start: Optional[Sampler] = None,
        truth_rate: float = 0.0,
        buffer_size: int = 0,
        reset_rate: float = 0.05,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(
            output_space,
            score_network,
            num_steps,
            start,
            truth_rate,
            buffer_size,
            reset_rate,
            log_key,
        )
        if temperature <= 0:
            raise ConfigurationError(
                "Expected a positive temperature in the sampler 'gibbs-with-gradients', got "
                f"{temperature}."
            )
        self.temperature = temperature
        self.logging_buffer["acceptance"] = LoggedMean()
        self.logging_buffer["score"] = LoggedMean()
        self.logging_buffer["trajectory"] = LoggedArray()

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.enable_grad():
            y = self.output_space.nearest_corner(self.starts(x, truth, mask))
            score, proposals = self._proposals(x, y, mask)
            scores = [score.mean()]
            for _ in range(self.num_steps):
                move = torch.distributions.Categorical(logits=proposals).sample()
                moved, back = self.output_space.move(y, move)
                moved_score, moved_proposals = self._proposals(x, moved, mask)
                ratio = (moved_score - score) / self.temperature + (
                    _at(moved_proposals, back) - _at(proposals, move)
                )
                accepted = torch.rand_like(ratio).log() < ratio
                y = choose(accepted, moved, y)
                score = torch.where(accepted, moved_score, score)
                proposals = choose(accepted, moved_proposals, proposals)
                self.log("acceptance", accepted)
                scores.append(score.mean())
        self.log("trajectory", torch.stack(scores))
        self.log("score", score)
        self.keep(y, truth)
        return SamplerOutput(y)

    def _proposals(
        self, x: Any, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The score, and log q `(batch, num_samples, num_moves)` of all moves."""
        y = y.detach().requires_grad_()
        score = self.score_network(x, y, mask)
        gradient = torch.autograd.grad(score.sum(), y)[0] / self.temperature
        change = self.output_space.move_changes(y.detach(), gradient, mask)
        # Where all is padding, no move matters and all are as likely.
        change = change.masked_fill(change.isinf().all(dim=-1, keepdim=True), 0.0)
        log_q = change / 2
        self.check_scores(score, log_q)
        return score.detach(), log_q - log_q.logsumexp(dim=-1, keepdim=True)


def _at(log_q: torch.Tensor, move: torch.Tensor) -> torch.Tensor:
    return log_q.gather(-1, move.unsqueeze(-1)).squeeze(-1)
