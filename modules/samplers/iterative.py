"""The base of samplers that change an output step by step."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..output_spaces import OutputSpace
from ..score_networks import ScoreNetwork
from .replay_buffer import ReplayBuffer
from .sampler import Sampler
from .selection import choose


class IterativeSampler(Sampler):
    """The base of samplers that start from an output y_0 and change it by the score network.

    A subclass takes y_0 from `starts` and, with a buffer, passes its samples to `keep`.

    # Parameters

    num_steps : `int`
        T, the maximum number of steps.
    start : `Sampler`, optional
        The sampler of y_0, with a sample for each start. By default y_0 is the output nearest to
        zero. It receives no labels, and has no loss.
    truth_rate : `float`
        The share of starts that are the truth, where it is known: never in a prediction.
    buffer_size : `int`
        The number of samples of past batches that are kept as starts, in training only.
    reset_rate : `float`
        The share of starts that do not come from the buffer.
    """

    score_network: ScoreNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_steps: int,
        start: Optional[Sampler] = None,
        truth_rate: float = 0.0,
        buffer_size: int = 0,
        reset_rate: float = 0.05,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, None, log_key)
        if num_steps < 1 or not 0 <= truth_rate <= 1:
            raise ConfigurationError(
                f"Expected at least 1 step and a truth_rate in [0, 1] in {type(self).__name__}, "
                f"got {num_steps} and {truth_rate}."
            )
        if buffer_size < 0 or not 0 <= reset_rate <= 1:
            raise ConfigurationError(
                f"Expected a buffer_size of at least 0 and a reset_rate in [0, 1] in "
                f"{type(self).__name__}, got {buffer_size} and {reset_rate}."
            )
        self.score_network = score_network
        self.num_steps = num_steps
        self.start = start
        self.truth_rate = truth_rate
        self.buffer = ReplayBuffer(buffer_size, reset_rate) if buffer_size else None
        if start is not None:
            self.adopt_constituent(start, "start")

    def starts(
        self,
        x: Any,
        truth: Optional[torch.Tensor],
        mask: Optional[torch.Tensor],
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return y_0, `(batch, num_starts, *event_shape)`, smoothed at the edge of the relaxation
        (`OutputSpace.smooth`) unless it comes from the buffer."""
        if self.start is None:
            potentials = self.score_network.potentials(x, mask).detach().unsqueeze(1)
            y = self.output_space.project(self.output_space.zeros_like(potentials))
        else:
            y = self.start.sample(x, None, mask).y.detach()
        y = self.output_space.smooth(y, smoothing)
        if self.buffer is not None and self.training and truth is not None:
            y = self.buffer.resume(y)
        if truth is not None and self.truth_rate > 0:
            replaced = torch.rand(y.shape[:2], device=y.device) < self.truth_rate
            y = choose(replaced, self.output_space.smooth(truth.to(y.dtype), smoothing), y)
        return y

    def keep(self, y: torch.Tensor, truth: Optional[torch.Tensor]) -> None:
        """Store the samples for later starts, in training only."""
        if self.buffer is not None and self.training and truth is not None:
            self.buffer.keep(y)
