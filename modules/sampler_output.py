"""The output of a sampler."""

from typing import NamedTuple, Optional

import torch


class SamplerOutput(NamedTuple):
    """The outputs that a sampler proposes for a batch.

    # Fields

    y : the proposals, normalised, `(batch, num_samples, *event_shape)`.
    logits : the logits of y, shaped like y; `None` if the sampler has none.
    cost_augmented : the proposals of a separate cost-augmented network, shaped like y; or `None`.
    log_prob : the log-probability of y under the proposal distribution, `(batch, num_samples)`; or
        `None`.
    loss : the sampler's own loss, reduced; `None` without labels or if the sampler has no loss.
    """

    y: torch.Tensor
    logits: Optional[torch.Tensor] = None
    cost_augmented: Optional[torch.Tensor] = None
    log_prob: Optional[torch.Tensor] = None
    loss: Optional[torch.Tensor] = None
