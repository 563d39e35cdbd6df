"""Draws from the distribution of the task network."""

from typing import Any, Literal, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..task_networks import TaskNetwork
from .sampler import Sampler


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
    """

    has_logits = True
    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        num_samples: int = 20,
        kind: Literal["discrete", "gumbel", "gaussian"] = "discrete",
        temperature: float = 1.0,
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
        self.task_network = task_network
        self.num_samples = num_samples
        self.kind = kind
        self.temperature = temperature

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask)
        if self.kind == "discrete" and self.temperature != 1:
            logits = logits / self.temperature
        expanded = logits.unsqueeze(1).expand(-1, self.num_samples, *logits.shape[1:])
        if self.kind == "gaussian":
            noise = self.temperature * torch.randn_like(expanded)
            y = self.output_space.normalize(expanded + noise)
        else:
            temperature = None if self.kind == "discrete" else self.temperature
            y = self.output_space.sample(logits, self.num_samples, temperature)
        log_prob = self.output_space.log_prob(logits.unsqueeze(1), y, mask)
        return SamplerOutput(y, expanded, log_prob=log_prob)
