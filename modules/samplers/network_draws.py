"""Draws from the distribution of the task network."""

import functools
from typing import Any, Literal, Optional, Tuple

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
        numbers = torch.rand(*position_shape[1:], 2 * count, generator=generator)
        order = numbers[..., :count].argsort(-1)
        rows.append((order + numbers[..., count:]) / count)
    stacked = torch.stack(rows) if position_shape else rows[0]
    return stacked.clamp(max=1 - 2**-24).movedim(-1, 0)


@Sampler.register("network-draws")
class NetworkDrawsSampler(Sampler):
    """Draws y_k from the task network's distribution, with their log-probabilities.

    `discrete`: y_k ~ p(y | x), the distribution of logits / temperature. `gumbel`: relaxed draws at
    a temperature (Maddison et al. 2017; Jang et al. 2017), differentiable. `gaussian`:
    normalize(logits + ε), ε ~ N(0, temperature²), differentiable. log p(y | logits) is linear in y:
    for a relaxed y it is the expectation under the independent distribution with mean y.

    # Parameters

    num_samples : `int`
        The number of draws for each instance.
    kind : `"discrete"`, `"gumbel"` or `"gaussian"`
        The kind of draws, as above.
    temperature : `float`
        The temperature of `discrete` and `gumbel`, or the standard deviation of the noise of
        `gaussian`.
    seed : `int`, optional
        With a seed, discrete draws have random numbers of their own, the same for all instances and
        in every call: the draws of an instance depend on its logits only, not on the batch. They
        are stratified: of K draws a value of probability p has K · p, up to one, at each position.
    """

    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        num_samples: int = 20,
        kind: Literal["discrete", "gumbel", "gaussian"] = "discrete",
        temperature: float = 1.0,
        seed: Optional[int] = None,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if kind not in ("discrete", "gumbel", "gaussian") or num_samples < 1 or temperature <= 0:
            raise ConfigurationError(
                "Expected a kind among 'discrete', 'gumbel', 'gaussian', at least 1 sample and a "
                "positive temperature in the sampler 'network-draws', got "
                f"'{kind}', {num_samples} and {temperature}."
            )
        if seed is not None and kind != "discrete":
            raise ConfigurationError(
                "Expected no seed for draws that are not discrete in the sampler 'network-draws', "
                f"got {seed} for the kind '{kind}'."
            )
        self.task_network = task_network
        self.seed = seed
        self.num_samples = num_samples
        self.kind = kind
        self.temperature = temperature

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask)
        if self.kind == "discrete":
            logits = logits / self.temperature
        expanded = logits.unsqueeze(1).expand(-1, self.num_samples, *logits.shape[1:])
        if self.kind == "gaussian":
            noise = self.temperature * torch.randn_like(expanded)
            y = self.output_space.normalize(expanded + noise)
        elif self.seed is not None:
            shape = self.output_space.position_shape(tuple(logits.shape[1:]))
            uniform = stratified_numbers(self.seed, self.num_samples, shape)
            y = self.output_space.draw_at(logits, uniform.to(logits.device))
        else:
            temperature = None if self.kind == "discrete" else self.temperature
            y = self.output_space.sample(logits, self.num_samples, temperature)
        log_prob = self.output_space.log_prob(logits.unsqueeze(1), y, mask)
        return SamplerOutput(y, expanded, log_prob=log_prob)
