"""Which network takes which steps, and how each is optimised."""

from typing import Collection, Dict, List, Optional, Tuple

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer


class NetworkSettings(FromParams):
    """How one network is optimised; what is not given is that of the trainer.

    # Parameters

    optimizer : `Lazy[Optimizer]`, optional
    learning_rate_scheduler : `Lazy[LearningRateScheduler]`, optional
        Stepped once a batch of data, however many steps the network takes on it.
    grad_norm : `float`, optional
        The norm to which the network's gradient is clipped.
    num_gradient_accumulation_steps : `int`, optional
        Over how many batches the gradient is averaged before a step.
    """

    def __init__(
        self,
        optimizer: Optional[Lazy[Optimizer]] = None,
        learning_rate_scheduler: Optional[Lazy[LearningRateScheduler]] = None,
        grad_norm: Optional[float] = None,
        num_gradient_accumulation_steps: Optional[int] = None,
    ) -> None:
        self.optimizer = optimizer
        self.learning_rate_scheduler = learning_rate_scheduler
        self.grad_norm = grad_norm
        self.num_gradient_accumulation_steps = num_gradient_accumulation_steps


def check_network(where: str, name: str, known: Collection[str]) -> None:
    """Raises `ConfigurationError` for a network that is not among `known`."""
    if name not in known:
        raise ConfigurationError(
            f"Expected a network that has a loss, one of {sorted(known)}, in '{where}' of the "
            f"trainer 'minimax', got '{name}'."
        )


def make_schedule(
    trained: List[str],
    steps: Optional[Dict[str, int]],
    order: Optional[List[str]],
    rounds: int,
) -> Tuple[str, ...]:
    """The network of each step on a batch, in order."""
    order = trained if order is None else order
    for where, names in (("order", order), ("steps", list(steps or {}))):
        for name in names:
            check_network(where, name, trained)
    counts = dict.fromkeys(trained, 1) if steps is None else steps
    schedule = tuple(name for name in order for _ in range(counts.get(name, 0))) * rounds
    if not schedule or min(counts.values()) < 0:
        raise ConfigurationError(
            "Expected at least one step on each batch in the trainer 'minimax', got "
            f"steps {counts}, order {order}, rounds {rounds}; the networks that have a loss are "
            f"{trained}."
        )
    return schedule


def average_over_workers(parameters: List[torch.nn.Parameter]) -> None:
    """Averages the gradients over all workers, in one reduction."""
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for parameter in parameters
    ]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.grad = flat[start:stop].view_as(parameter)
        start = stop
