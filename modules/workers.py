"""The processes of a distributed run, and what they tell each other."""

from typing import Any, List

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed


def num_workers() -> int:
    """How many processes train together, on all machines; 1 outside distributed training."""
    return torch.distributed.get_world_size() if is_distributed() else 1


def rank() -> int:
    """Which of them this is, over all machines, from 0."""
    return torch.distributed.get_rank() if is_distributed() else 0


def is_first() -> bool:
    """Whether this is the one that writes for all."""
    return rank() == 0


def of_all_workers(value: Any) -> List[Any]:
    """The value that each worker has, by rank; every worker must call it. What is in it is pickled:
    tensors should be on the CPU."""
    if not is_distributed():
        return [value]
    values: List[Any] = [None] * num_workers()
    torch.distributed.all_gather_object(values, value)
    return values


def own_part(values: List[Any]) -> Any:
    """Of what `of_all_workers` gave, perhaps before the run was stopped, that of this worker.

    # Raises

    `ConfigurationError` where there were more workers then, or fewer.
    """
    if len(values) != num_workers():
        raise ConfigurationError(
            f"Expected as many processes as the checkpoint is of, {len(values)}, got "
            f"{num_workers()}; go on with as many, or begin anew."
        )
    return values[rank()]
