"""Gibbs sampling of discrete outputs, with proposals from the gradient of the score."""

from typing import Any, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..logging import LoggedArray, LoggedMean
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .iterative import IterativeSampler
from .sampler import Sampler
from .selection import choose


class GibbsState(NamedTuple):
    """The state of the chains.

    # Fields

    y : the discrete outputs, `(batch, num_samples, *event_shape)`.
    score : s(x, y), `(batch, num_samples)`.
    log_q : log q(m | y) of every move m, `(batch, num_samples, num_moves)`.
    """

    y: torch.Tensor
    score: torch.Tensor
    log_q: torch.Tensor


@Sampler.register("gibbs-with-gradients")
class GibbsWithGradientsSampler(IterativeSampler):
    """Draws from p(y | x) ∝ exp(s(x, y) / temperature) over the discrete outputs y (Grathwohl et
    al. 2021, algorithm 1).

    A step changes one position. It proposes the move m with q(m | y) ∝ exp(d_m / 2), where d_m is
    the first-order change of s / temperature, and accepts the new output y' with probability
    min(1, exp((s' − s) / temperature) q(m⁻¹ | y') / q(m | y)). The chain is therefore exact for any
    score; with a score that is linear in y it accepts nearly every move. A relaxed start is
    rounded. The encoding of x is computed once, the score network's dropout is off, and its weights
    receive no gradient.

    # Parameters

    num_steps : `int`
        The number of steps; each changes at most one position.
    temperature : `float`
        The divisor of the scores: the higher it is, the more uniform the draws.
    """

    has_logits = False

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

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.enable_grad():
            y = self.output_space.nearest_corner(self.starts(x, truth, mask))
            state = self._state(x, y, mask)
            scores = [state.score.mean()]
            for _ in range(self.num_steps):
                state = self._step(x, state, mask)
                scores.append(state.score.mean())
        self.log("trajectory", torch.stack(scores))
        self.log("score", state.score)
        self.keep(state.y, truth)
        return SamplerOutput(state.y)

    def _state(self, x: Any, y: torch.Tensor, mask: Optional[torch.Tensor]) -> GibbsState:
        """Return the state at the discrete outputs y."""
        y = y.detach().requires_grad_()
        score = self.score_network(x, y, mask)
        gradient = torch.autograd.grad(score.sum(), y)[0] / self.temperature
        change = self.output_space.move_changes(y.detach(), gradient, mask)
        # An instance that is all padding has only impossible moves; make them equally likely.
        change = change.masked_fill(change.isinf().all(dim=-1, keepdim=True), 0.0)
        log_q = change / 2
        self.check_scores(score, log_q)
        log_q = log_q - log_q.logsumexp(dim=-1, keepdim=True)
        return GibbsState(y.detach(), score.detach(), log_q)

    def _step(self, x: Any, state: GibbsState, mask: Optional[torch.Tensor]) -> GibbsState:
        """Return the state after one move, accepted or rejected."""
        move = torch.distributions.Categorical(logits=state.log_q).sample()
        y, move_back = self.output_space.move(state.y, move)
        moved = self._state(x, y, mask)
        log_ratio = (moved.score - state.score) / self.temperature + (
            _at(moved.log_q, move_back) - _at(state.log_q, move)
        )
        accepted = torch.rand_like(log_ratio).log() < log_ratio
        self.log("acceptance", accepted)
        return GibbsState(
            choose(accepted, moved.y, state.y),
            choose(accepted, moved.score, state.score),
            choose(accepted, moved.log_q, state.log_q),
        )


def _at(log_q: torch.Tensor, move: torch.Tensor) -> torch.Tensor:
    """Return log q of the given move, `(batch, num_samples)`."""
    return log_q.gather(-1, move.unsqueeze(-1)).squeeze(-1)
