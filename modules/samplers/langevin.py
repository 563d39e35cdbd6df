"""Langevin dynamics on the relaxed output."""

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
from .output_optimizers import SMOOTHING, check_smoothing
from .sampler import Sampler
from .selection import choose


class LangevinState(NamedTuple):
    """The state of the chains.

    # Fields

    z : the logits, `(batch, num_samples, *event_shape)`.
    log_density : U(z), `(batch, num_samples)`.
    gradient : ∇U(z), shaped like z.
    score : s(x, y), `(batch, num_samples)`.
    """

    z: torch.Tensor
    log_density: torch.Tensor
    gradient: torch.Tensor
    score: torch.Tensor


@Sampler.register("langevin")
class LangevinSampler(IterativeSampler):
    """Draws from the density p(y | x) ∝ exp(s(x, y) / temperature) over relaxed outputs y.

    The chain moves in the logits z of y = normalize(z), where that density is exp U(z) with
    U(z) = s / temperature + log r(z), and r the density of logits whose y is uniform:

    z ← z + ε_t / 2 · ∇U(z) + noise · √ε_t · ξ, with ξ ~ N(0, 1), ε_t = step_size · (1 + t)^−decay

    (Welling & Teh 2011). It is exact in the limit of small steps; `metropolis` corrects for their
    size by accepting or rejecting each (Roberts & Tweedie 1996). The encoding of x is computed
    once, the score network's dropout is off, and its weights receive no gradient.

    # Parameters

    step_size : `float`
        ε_0.
    decay : `float`
        The rate at which steps become smaller; 0 keeps their size.
    noise : `float`
        1 draws samples; 0 is gradient ascent on U.
    temperature : `float`
        The divisor of the scores: the higher it is, the more uniform the draws.
    metropolis : `bool`
        Whether to accept or reject each step, so that the chain is exact; requires `noise` 1.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, such as the
        truth. The logits of a corner are infinite, and steps in logits near a corner hardly change
        y.
    """

    has_logits = True

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_steps: int = 20,
        step_size: float = 0.1,
        decay: float = 0.0,
        noise: float = 1.0,
        temperature: float = 1.0,
        metropolis: bool = False,
        start: Optional[Sampler] = None,
        truth_rate: float = 0.0,
        buffer_size: int = 0,
        reset_rate: float = 0.05,
        smoothing: float = SMOOTHING,
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
        if min(step_size, temperature) <= 0 or min(decay, noise) < 0:
            raise ConfigurationError(
                "Expected a positive step_size and temperature, and a decay and noise of at least "
                f"0, in the sampler 'langevin', got {step_size}, {temperature}, {decay} and "
                f"{noise}."
            )
        if metropolis and noise != 1:
            raise ConfigurationError(
                f"Expected noise 1 with metropolis in the sampler 'langevin', got {noise}."
            )
        check_smoothing(smoothing, "the sampler 'langevin'")
        self.step_size = step_size
        self.decay = decay
        self.noise = noise
        self.temperature = temperature
        self.metropolis = metropolis
        self.smoothing = smoothing
        self.logging_buffer["score"] = LoggedMean()
        self.logging_buffer["trajectory"] = LoggedArray()
        if metropolis:
            self.logging_buffer["acceptance"] = LoggedMean()

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.enable_grad():
            y = self.starts(x, truth, mask, self.smoothing)
            state = self._state(x, self.output_space.logits_of(y), mask)
            scores = [state.score.mean()]
            for step in range(self.num_steps):
                state = self._step(x, state, self.step_size * (1 + step) ** -self.decay, mask)
                scores.append(state.score.mean())
        self.log("trajectory", torch.stack(scores))
        self.log("score", state.score)
        self.check_scores(state.score)
        y = self.output_space.normalize(state.z)
        self.keep(y, truth)
        return SamplerOutput(y, state.z)

    def _state(self, x: Any, z: torch.Tensor, mask: Optional[torch.Tensor]) -> LangevinState:
        """Return the state at the logits z."""
        z = z.detach().requires_grad_()
        score = self.score_network(x, self.output_space.normalize(z), mask)
        log_r = self.output_space.sum_positions(self.output_space.position_log_uniform(z), mask)
        log_density = score / self.temperature + log_r
        gradient = torch.autograd.grad(log_density.sum(), z)[0]
        return LangevinState(z.detach(), log_density.detach(), gradient, score.detach())

    def _step(
        self, x: Any, state: LangevinState, size: float, mask: Optional[torch.Tensor]
    ) -> LangevinState:
        """Return the state after a step of the given size."""
        expected = state.z + size / 2 * state.gradient
        noise = size**0.5 * self.noise * torch.randn_like(state.z)
        moved = self._state(x, expected + noise, mask)
        if not self.metropolis:
            return moved
        # log q(z' | z) = −‖z' − E[z' | z]‖² / (2 size), up to a constant.
        expected_back = moved.z + size / 2 * moved.gradient
        there = self._squared(moved.z - expected, mask)
        back = self._squared(state.z - expected_back, mask)
        log_ratio = moved.log_density - state.log_density + (there - back) / (2 * size)
        accepted = torch.rand_like(log_ratio).log() < log_ratio
        self.log("acceptance", accepted)
        return LangevinState(
            choose(accepted, moved.z, state.z),
            choose(accepted, moved.log_density, state.log_density),
            choose(accepted, moved.gradient, state.gradient),
            choose(accepted, moved.score, state.score),
        )

    def _squared(self, change: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """Return ‖change‖² over the real positions, `(batch, num_samples)`."""
        return self.output_space.sum_positions(self.output_space.position_dot(change, change), mask)
