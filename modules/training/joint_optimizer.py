"""The optimisers and schedulers of several networks as one each, so that they are checkpointed,
and found, where AllenNLP keeps the one of a model."""

from typing import Any, Collection, Dict, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from ..networks import Groups
from .schedule import NetworkSettings

Gradients = Dict[str, List[Optional[torch.Tensor]]]


class JointOptimizer(torch.optim.Optimizer):
    """One optimiser for each network, of which one, the `active`, is stepped at a time.

    The gradient of a network is averaged over `accumulation_steps[network]` calls of `step`, and
    its optimiser is stepped at the last of them; `zero_grad` leaves unfinished gradients alone.
    """

    def __init__(
        self,
        optimizers: Dict[str, torch.optim.Optimizer],
        accumulation_steps: Dict[str, int],
    ) -> None:
        groups = [group for optimizer in optimizers.values() for group in optimizer.param_groups]
        super().__init__([p for group in groups for p in group["params"]], {})
        self.param_groups = groups  # the very groups of the optimisers, so that lr can be set here
        self.optimizers = optimizers
        self.accumulation_steps = accumulation_steps
        self.accumulated = dict.fromkeys(optimizers, 0)
        self.active = next(iter(optimizers))

    def parameters(self, network: Optional[str] = None) -> List[torch.nn.Parameter]:
        """The parameters of a network, by default of the active one."""
        groups = self.optimizers[network or self.active].param_groups
        return [parameter for group in groups for parameter in group["params"]]

    def is_due(self) -> bool:
        """Whether the next `step` of the active network will step its optimiser."""
        return self.accumulated[self.active] + 1 >= self.accumulation_steps[self.active]

    def average(self, count: int) -> None:
        """Divides the active network's gradients, the sum of `count` batches', by `count`."""
        if count > 1:
            for parameter in self.parameters():
                if parameter.grad is not None:
                    parameter.grad.div_(count)

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Steps the active network's optimiser, if that is due."""
        due = self.is_due()
        self.accumulated[self.active] += 1
        if due:
            self.optimizers[self.active].step()
            self.accumulated[self.active] = 0
            self.zero_grad()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of every network whose accumulation is not under way."""
        for network, optimizer in self.optimizers.items():
            if not self.accumulated[network]:
                optimizer.zero_grad(set_to_none)

    def state_dict(self) -> Dict[str, Any]:
        """The states of all optimisers; what they accumulate is in `unfinished`."""
        return {
            network: {
                "optimizer": optimizer.state_dict(),
                "accumulated": self.accumulated[network],
            }
            for network, optimizer in self.optimizers.items()
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Loads what `state_dict` gave."""
        for network, optimizer in self.optimizers.items():
            state = state_dict[network]
            optimizer.load_state_dict(state["optimizer"])
            self.accumulated[network] = state["accumulated"]
        self.param_groups = [g for o in self.optimizers.values() for g in o.param_groups]

    def unfinished(self) -> Gradients:
        """The gradients of each network whose accumulation is under way. In distributed training
        every worker has its own: they are averaged when a step is due."""
        return {
            network: [parameter.grad for parameter in self.parameters(network)]
            for network, count in self.accumulated.items()
            if count
        }

    def go_on(self, unfinished: Gradients) -> None:
        """Takes what `unfinished` gave."""
        for network, gradients in unfinished.items():
            for parameter, gradient in zip(self.parameters(network), gradients, strict=True):
                parameter.grad = None if gradient is None else gradient.to(parameter.device)


class JointScheduler(LearningRateScheduler):
    """The learning-rate schedulers of several networks, stepped together once a batch and epoch.

    Only those of the networks in `active`, which are being trained, are stepped; each counts the
    batches from the first of its own.
    """

    def __init__(self, schedulers: Dict[str, LearningRateScheduler]) -> None:
        self.schedulers = schedulers
        self.active: Collection[str] = set(schedulers)
        self.batches_before: Dict[str, int] = {}

    def get_values(self) -> List[float]:
        """The learning rates, network by network."""
        return [rate for scheduler in self.schedulers.values() for rate in scheduler.get_values()]

    def step(self, metric: Optional[float] = None) -> None:
        """Ends an epoch, with its validation metric."""
        for network, scheduler in self.schedulers.items():
            if network in self.active:
                scheduler.step(metric)

    def step_batch(self, batch_num_total: Optional[int] = None) -> None:
        """Ends a batch."""
        for network, scheduler in self.schedulers.items():
            if network not in self.active:
                continue
            if batch_num_total is None:
                scheduler.step_batch()
            else:
                before = self.batches_before.setdefault(network, batch_num_total - 1)
                scheduler.step_batch(batch_num_total - before)

    def state_dict(self) -> Dict[str, Any]:
        """The states of all schedulers."""
        return {
            "schedulers": {name: each.state_dict() for name, each in self.schedulers.items()},
            "batches_before": dict(self.batches_before),
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Loads what `state_dict` gave."""
        for network, scheduler in self.schedulers.items():
            scheduler.load_state_dict(state_dict["schedulers"][network])
        self.batches_before = dict(state_dict["batches_before"])


def joint_optimizer(
    networks: Groups, settings: Dict[str, NetworkSettings], accumulation_steps: Dict[str, int]
) -> Lazy[Optimizer]:
    """What builds the optimiser of each network, over its parameters that take a gradient."""

    def build(model_parameters: Any) -> JointOptimizer:
        return JointOptimizer(
            {
                name: given.optimizer.construct(
                    model_parameters=[(n, p) for n, p in networks[name] if p.requires_grad]
                )
                for name, given in settings.items()
                if given.optimizer is not None
            },
            accumulation_steps,
        )

    return Lazy(build)


def joint_scheduler(
    settings: Dict[str, NetworkSettings], epochs: Dict[str, range]
) -> Optional[Lazy[LearningRateScheduler]]:
    """What builds the scheduler of each network, over its own epochs, where there is any."""

    schedulers = {
        name: given.learning_rate_scheduler
        for name, given in settings.items()
        if given.learning_rate_scheduler is not None
    }

    def build(
        optimizer: JointOptimizer, num_epochs: int, num_steps_per_epoch: Optional[int]
    ) -> JointScheduler:
        return JointScheduler(
            {
                name: scheduler.construct(
                    optimizer=optimizer.optimizers[name],
                    num_epochs=len(epochs[name]),
                    num_steps_per_epoch=num_steps_per_epoch,
                )
                for name, scheduler in schedulers.items()
            }
        )

    return Lazy(build) if schedulers else None
