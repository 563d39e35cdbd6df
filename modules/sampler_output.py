"""The output of a sampler."""

from typing import NamedTuple, Optional

import torch


class SamplerOutput(NamedTuple):
    """Outputs that a sampler proposes for a batch.

    # Fields

    y : the proposals, normalised, `(batch, num_samples, *event_shape)`.
    logits : the logits behind y, of the same shape, where there are any.
    cost_augmented : the proposals of a separate cost-augmented network, shaped like y.
    log_prob : the log-probability of y under the proposal distribution, `(batch, num_samples)`.
    loss : the sampler's own loss, reduced, where labels were given and it has one.
    """

    y: torch.Tensor
    logits: Optional[torch.Tensor] = None
    cost_augmented: Optional[torch.Tensor] = None
    log_prob: Optional[torch.Tensor] = None
    loss: Optional[torch.Tensor] = None
