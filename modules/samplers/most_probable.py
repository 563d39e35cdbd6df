"""The most probable outputs of the task network."""

from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..task_networks import TaskNetwork
from .sampler import Sampler


def cheapest_flips(costs: torch.Tensor, count: int) -> torch.Tensor:
    """Return the `count` subsets of positions with the smallest sums of costs, the smallest first,
    bool `(batch, count, num_positions)`, for costs ≥ 0 `(batch, num_positions)` in rising order.

    The subsets of the first positions are extended by one position at a time, and the best `count`
    of them are kept. With n positions there are 2^n subsets: `count` is at most that.

    >>> cheapest_flips(torch.tensor([[1.0, 2.0, 2.5]]), 4).int().tolist()
    [[[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]]
    """
    batch, num_positions = costs.shape
    sums = costs.new_zeros(batch, 1)
    flips = torch.zeros(batch, 1, num_positions, dtype=torch.bool, device=costs.device)
    # The subset {j} costs no less than each of the j subsets before it and the empty one.
    for position in range(min(num_positions, count - 1)):
        flipped = flips.clone()
        flipped[:, :, position] = True
        sums = torch.cat([sums, sums + costs[:, position : position + 1]], 1)
        order = sums.sort(dim=1, stable=True).indices[:, :count]
        sums = sums.gather(1, order)
        flips = torch.cat([flips, flipped], 1)
        flips = flips.gather(1, order.unsqueeze(2).expand(-1, -1, num_positions))
    return flips


@Sampler.register("most-probable")
class MostProbableSampler(Sampler):
    """The `num_samples` most probable outputs of the task network, the most probable first, with
    their log-probabilities: candidates without repetition or chance for `rerank` and
    `minimum-bayes-risk`.

    Its positions are independent, so the outputs are those that differ from the most probable one
    in the sets of positions with the smallest sums of |logits|. Where there are fewer outputs, all
    of them are proposed, with repetitions for instances that have more padding than others. The
    log-probabilities are those of an output, not of being proposed: set
    `correct_for_proposal: false` in a decoder.

    # Parameters

    num_samples : `int`
        The number of outputs for each instance.

    # Raises

    `ConfigurationError` for outputs that are not binary, and for num_samples below 1.
    """

    has_logits = False
    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        num_samples: int = 64,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if not output_space.is_binary:
            raise ConfigurationError(
                "Expected the output space 'binary' for the sampler 'most-probable', got "
                f"{type(output_space).__name__}; use 'network-draws' or 'exact'."
            )
        if num_samples < 1:
            raise ConfigurationError(
                "Expected num_samples of at least 1 in the sampler 'most-probable', got "
                f"{num_samples}."
            )
        self.task_network = task_network
        self.num_samples = num_samples

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask)
        flat = logits.detach().flatten(1)
        costs, real = flat.abs(), None if mask is None else mask.flatten(1)
        if real is not None:
            costs = costs.masked_fill(~real, torch.inf)
        costs, places = costs.sort(dim=1, stable=True)
        rows = cheapest_flips(costs, min(self.num_samples, 2 ** min(flat.shape[1], 62)))
        flips = torch.zeros_like(rows).scatter_(
            2, places.unsqueeze(1).expand(-1, rows.shape[1], -1), rows
        )
        y = flips ^ (flat > 0).unsqueeze(1)
        if real is not None:
            y = y & real.unsqueeze(1)
        y = y.view(*y.shape[:2], *logits.shape[1:]).to(logits.dtype)
        return SamplerOutput(y, log_prob=self.output_space.log_prob(logits.unsqueeze(1), y, mask))
