"""Draws of the task network at several temperatures, for expectations under other distributions."""

import functools
import math
from typing import Any, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..task_networks import TaskNetwork
from .sampler import Sampler


@functools.lru_cache(maxsize=64)
def stratified_numbers(seed: int, count: int, position_shape: Tuple[int, ...]) -> torch.Tensor:
    """Return numbers `(count, *position_shape)`, uniform over [0, 1): at each position one in each
    interval [i / count, (i + 1) / count), in random order.

    Those of a position do not depend on how many positions follow it, so that padding changes
    nothing.

    >>> numbers = stratified_numbers(0, 4, (3,))
    >>> (numbers.sort(0).values * 4).int().T.tolist()
    [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    """
    generator = torch.Generator()
    rows = []
    for row in range(position_shape[0] if position_shape else 1):
        generator.manual_seed(seed * 1_000_003 + row)
        # Each number needs two; they are the last dimension, and so come in the order of positions.
        # In single precision whatever the default is: the numbers are cached.
        numbers = torch.rand(
            *position_shape[1:], 2 * count, generator=generator, dtype=torch.float32
        )
        order = numbers[..., :count].argsort(-1)
        rows.append((order + numbers[..., count:]) / count)
    stacked = torch.stack(rows) if position_shape else rows[0]
    return stacked.clamp(max=1 - 2**-24).movedim(-1, 0)


@Sampler.register("tempered-draws")
class TemperedDrawsSampler(Sampler):
    """Discrete draws of the mixture q = (1 / M) Σ_m p_m, where p_m is the distribution of the task
    network's logits divided by the temperature T_m, with log q of each draw.

    Equally many draws come from each p_m (deterministic mixture sampling, Owen & Zhou 2000), so
    that importance weights π / q have a bounded variance for any π near one of them. The draws are
    stratified and have random numbers of their own, the same for all instances and in every call:
    the draws of an instance depend on its logits only. Without logits in its output, the sampler
    does not serve losses that need log q of the truth.

    # Parameters

    num_samples : `int`
        The number of draws for each instance, a multiple of the number of temperatures.
    temperatures : `Sequence[float]`
        T_1, …, T_M.
    seed : `int`
        Of the random numbers.
    """

    has_logits = False
    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        num_samples: int = 200,
        temperatures: Sequence[float] = (1.0, 1.5, 2.0, 3.0),
        seed: int = 0,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        count = len(temperatures)
        if count < 1 or min(temperatures) <= 0 or num_samples < 1 or num_samples % count:
            raise ConfigurationError(
                "Expected positive temperatures and equally many draws from each of them in the "
                f"sampler 'tempered-draws', got the temperatures {list(temperatures)} and "
                f"num_samples {num_samples}."
            )
        self.task_network = task_network
        self.num_samples = num_samples
        self.temperatures = list(temperatures)
        self.seed = seed

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask)
        shape = self.output_space.position_shape(tuple(logits.shape[1:]))
        parts = len(self.temperatures)
        draws = []
        for place, temperature in enumerate(self.temperatures):
            # One seed for each temperature: their draws are independent.
            numbers = stratified_numbers(
                parts * self.seed + place, self.num_samples // parts, shape
            )
            draws.append(self.output_space.draw_at(logits / temperature, numbers.to(logits.device)))
        y = torch.cat(draws, dim=1)
        tempered = torch.stack([logits / temperature for temperature in self.temperatures], 1)
        log_probs = self.output_space.log_probs(tempered, y, mask)
        return SamplerOutput(y, log_prob=log_probs.logsumexp(2) - math.log(parts))
