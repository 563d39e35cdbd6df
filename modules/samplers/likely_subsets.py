"""All sets of the few most probable labels."""

import functools
import itertools
import math
from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..task_networks import TaskNetwork
from .sampler import Sampler

MOST = 2**14


@functools.lru_cache(maxsize=8)
def subsets(size: int, smallest: int, largest: int) -> torch.Tensor:
    """Return all subsets of `size` elements with `smallest` to `largest` members, the smallest
    first.

    >>> subsets(3, 0, 1).tolist()
    [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    chosen = [
        members
        for count in range(smallest, largest + 1)
        for members in itertools.combinations(range(size), count)
    ]
    rows = torch.zeros(len(chosen), size)
    for row, members in zip(rows, chosen, strict=True):
        row[list(members)] = 1.0
    return rows


@Sampler.register("likely-subsets")
class LikelySubsetsSampler(Sampler):
    """All sets of `smallest` to `largest` of the `among` labels that the task network finds most
    probable: candidates without repetition or chance, whose scores give the distribution over them
    exactly. All other labels are off.

    They have no log-probabilities: the weights of a decoder are those of the scores.

    # Parameters

    among : `int`
        The number of labels that are combined; all labels where there are fewer.
    smallest, largest : `int`
        The sizes of the smallest and the largest set. With `smallest` 1 in the sampler of a
        decoder, the prediction is never empty.

    # Raises

    `ConfigurationError` for outputs that are not sets of labels, and for more than 16,384 sets.
    """

    has_logits = False
    task_network: TaskNetwork

    def __init__(
        self,
        output_space: OutputSpace,
        task_network: TaskNetwork,
        among: int = 9,
        smallest: int = 0,
        largest: int = 4,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        if not (output_space.is_binary and output_space.independent):
            raise ConfigurationError(
                "Expected the output space 'binary' for the sampler 'likely-subsets', got "
                f"{type(output_space).__name__}; use 'network-draws'."
            )
        is_range = 0 <= smallest <= 1 <= largest <= among
        if not is_range or sum(math.comb(among, n) for n in range(smallest, largest + 1)) > MOST:
            raise ConfigurationError(
                "Expected smallest 0 or 1, 1 ≤ largest ≤ among, and no more than 16,384 sets, in "
                f"the sampler 'likely-subsets', got smallest {smallest}, largest {largest} and "
                f"among {among}."
            )
        self.task_network = task_network
        self.among = among
        self.smallest = smallest
        self.largest = largest

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        logits = self.task_network(x, mask)
        flat = logits.detach().flatten(1)
        if mask is not None:
            flat = flat.masked_fill(~mask.flatten(1), -torch.inf)
        size = min(self.among, flat.shape[1])
        places = flat.sort(dim=1, descending=True, stable=True).indices[:, :size]
        rows = subsets(size, self.smallest, min(self.largest, size)).to(flat)
        y = flat.new_zeros(len(flat), len(rows), flat.shape[1])
        y.scatter_(2, places.unsqueeze(1).expand(-1, len(rows), -1), rows.expand(len(flat), -1, -1))
        if mask is not None:
            y = y.masked_fill(~mask.flatten(1).unsqueeze(1), 0.0)
        return SamplerOutput(y.view(*y.shape[:2], *logits.shape[1:]))
