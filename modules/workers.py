"""The processes of a distributed run, and the collectives over them."""

from typing import Any, List

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed


def num_workers() -> int:
    """Return the number of processes that train together, on all machines; 1 outside distributed
    training."""
    return torch.distributed.get_world_size() if is_distributed() else 1


def rank() -> int:
    """Return the rank of this process over all machines, from 0."""
    return torch.distributed.get_rank() if is_distributed() else 0


def is_first() -> bool:
    """Return whether this process has rank 0, the one that writes files."""
    return rank() == 0


def all_gather_object(value: Any) -> List[Any]:
    """Return the value of each worker, ordered by rank.

    Every worker must call this function. Values are pickled, so move tensors to the CPU first.
    """
    if not is_distributed():
        return [value]
    values: List[Any] = [None] * num_workers()
    torch.distributed.all_gather_object(values, value)
    return values


def own_part(values: List[Any]) -> Any:
    """Return the value of this worker from a result of `all_gather_object`, which may come from a
    checkpoint.

    # Raises

    `ConfigurationError` if the number of workers differs from that of the checkpoint.
    """
    if len(values) != num_workers():
        raise ConfigurationError(
            f"Expected {len(values)} processes, as in the checkpoint, got {num_workers()}; resume "
            f"with {len(values)}, or start a new run."
        )
    return values[rank()]


def average_gradients(parameters: List[torch.nn.Parameter]) -> None:
    """Replace each gradient by its mean over all workers, in one reduction.

    A gradient that some workers lack counts as zeros there; one that all lack stays missing. Every
    worker must call this function.
    """
    missing = [parameter.grad is None for parameter in parameters]
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for parameter in parameters
    ]
    present = gradients[0].new_tensor([not each for each in missing])
    flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), present])
    torch.distributed.all_reduce(flat)
    flat /= num_workers()
    start = 0
    anywhere = flat[-len(parameters) :].tolist() if any(missing) else [1.0] * len(parameters)
    for parameter, is_present in zip(parameters, anywhere, strict=True):
        stop = start + parameter.numel()
        parameter.grad = flat[start:stop].view_as(parameter) if is_present else None
        start = stop
