"""Langevin dynamics on the relaxed output."""

from typing import Any, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..logging import LoggedArray, LoggedMean
from ..networks import frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput, choose
from ..score_networks import ScoreNetwork
from .iterative import IterativeSampler
from .output_optimizers import SMOOTHING, check_smoothing
from .sampler import Sampler

State = Tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@Sampler.register("langevin")
class LangevinSampler(IterativeSampler):
    """Draws from the density p(y | x) ∝ exp(s(x, y) / temperature) over relaxed outputs y.

    The chain moves in the logits z of y = normalize(z), where that density is exp U(z) with
    U(z) = s / temperature + log r(z), and r the density of logits whose y is uniform:

    z ← z + ε_t / 2 · ∇U(z) + noise · √ε_t · ξ, with ξ ~ N(0, 1), ε_t = step_size · (1 + t)^−decay

    (Welling & Teh 2011). It is exact in the limit of small steps; `metropolis` corrects for their
    size by accepting or refusing each (Roberts & Tweedie 1996). The features of x are computed
    once, the score network's dropout is off, and no gradient reaches its weights.

    # Parameters

    step_size : `float`
        ε_0.
    decay : `float`
        How fast steps become smaller; 0 keeps their size.
    noise : `float`
        1 draws; 0 is gradient ascent on U.
    temperature : `float`
        What the scores are divided by: the higher it is, the more uniform the draws.
    metropolis : `bool`
        Whether each step is accepted or refused, so that the chain is exact; needs `noise` 1.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, such as the
        truth. The logits of a corner are infinite, and those close to it move y by nothing.
    """

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

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        x = Encoded.of(x, mask)
        with frozen(self.score_network), torch.enable_grad():
            y = self.starts(x, truth, mask, self.smoothing)
            state = self._state(x, self.output_space.logits_of(y), mask)
            scores = [state[3].mean()]
            for step in range(self.num_steps):
                state = self._step(x, state, self.step_size * (1 + step) ** -self.decay, mask)
                scores.append(state[3].mean())
        self.log("trajectory", torch.stack(scores))
        self.log("score", state[3])
        self.check_scores(state[3])
        y = self.output_space.normalize(state[0])
        self.keep(y, truth)
        return SamplerOutput(y, state[0])

    def _state(self, x: Any, z: torch.Tensor, mask: Optional[torch.Tensor]) -> State:
        """z, U, ∇U and the score."""
        z = z.detach().requires_grad_()
        score = self.score_network(x, self.output_space.normalize(z), mask)
        log_r = self.output_space.sum_positions(self.output_space.position_log_uniform(z), mask)
        log_density = score / self.temperature + log_r
        gradient = torch.autograd.grad(log_density.sum(), z)[0]
        return z.detach(), log_density.detach(), gradient, score.detach()

    def _step(self, x: Any, state: State, size: float, mask: Optional[torch.Tensor]) -> State:
        z, log_density, gradient, _ = state
        expected = z + size / 2 * gradient
        moved = self._state(x, expected + size**0.5 * self.noise * torch.randn_like(z), mask)
        if not self.metropolis:
            return moved
        back = moved[0] + size / 2 * moved[2]
        there, here = self._squared(moved[0] - expected, mask), self._squared(z - back, mask)
        accepted = torch.rand_like(there).log() < (
            moved[1] - log_density + (there - here) / (2 * size)
        )
        self.log("acceptance", accepted)
        return tuple(  # type: ignore[return-value]
            choose(accepted, new, old) for new, old in zip(moved, state, strict=True)
        )

    def _squared(self, change: torch.Tensor, mask: Optional[torch.Tensor]) -> torch.Tensor:
        return self.output_space.sum_positions(self.output_space.position_dot(change, change), mask)
