"""The optimisers and schedulers of several networks behind AllenNLP's interface for one model."""

from typing import Any, Collection, Dict, List, Optional, Union

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from ..networks import Groups
from ..workers import average_gradients
from .fused_adamw import FusedAdamW, like
from .schedule import Epochs, NetworkSettings


class JointOptimizer(torch.optim.Optimizer):
    """One optimiser for each network; `step` steps the optimiser of the `active` network.

    The gradient of a network is averaged over `accumulation_steps[network]` calls of `step`, and
    its optimiser is stepped at the last of them; `zero_grad` keeps accumulating gradients.
    `grad_norms[network]` is the norm to which a gradient is clipped, or `True` to measure it only,
    and `grad_clipping` the absolute value to which each of its entries is clipped after that.
    """

    def __init__(
        self,
        optimizers: Dict[str, torch.optim.Optimizer],
        accumulation_steps: Dict[str, int],
        grad_norms: Dict[str, Optional[Union[float, bool]]],
        grad_clipping: Optional[float] = None,
    ) -> None:
        groups = [group for optimizer in optimizers.values() for group in optimizer.param_groups]
        super().__init__([p for group in groups for p in group["params"]], {})
        self.param_groups = groups  # shared with the optimisers, so that lr can be set here
        self.optimizers = optimizers
        self.accumulation_steps = accumulation_steps
        self.grad_norms = grad_norms
        self.grad_clipping = grad_clipping
        self.accumulated = dict.fromkeys(optimizers, 0)
        self.active = next(iter(optimizers))

    def parameters(self, network: Optional[str] = None) -> List[torch.nn.Parameter]:
        """Return the parameters of a network, by default of the active one."""
        groups = self.optimizers[network or self.active].param_groups
        return [parameter for group in groups for parameter in group["params"]]

    def is_due(self) -> bool:
        """Return whether the next `step` of the active network will step its optimiser."""
        return self.accumulated[self.active] + 1 >= self.accumulation_steps[self.active]

    def average(self, count: int) -> None:
        """Average the active network's gradients, a sum over `count` batches, over these batches
        and over the workers. Where nothing clips them, an optimiser with a kernel divides them in
        its step."""
        parameters = self.parameters()
        optimizer = self.optimizers[self.active]
        if isinstance(optimizer, FusedAdamW) and not self.is_clipped():
            optimizer.divide_gradients(count)
        elif count > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad.div_(count)
        if is_distributed():
            average_gradients(parameters)

    def is_clipped(self) -> bool:
        """Return whether `clip` reads the active network's gradient."""
        return bool(self.grad_norms[self.active]) or self.grad_clipping is not None

    def clip(self) -> Optional[torch.Tensor]:
        """Clip the active network's gradient, first to its norm, then each of its entries. Return
        the norm before, if measured."""
        grad_norm, norm = self.grad_norms[self.active], None
        if grad_norm:
            limit = float("inf") if grad_norm is True else grad_norm
            norm = torch.nn.utils.clip_grad_norm_(self.parameters(), limit)
        if self.grad_clipping is not None:
            torch.nn.utils.clip_grad_value_(self.parameters(), self.grad_clipping)
        return norm

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step the active network's optimiser if its step is due."""
        due = self.is_due()
        self.accumulated[self.active] += 1
        if due:
            self.optimizers[self.active].step()
            self.accumulated[self.active] = 0
            self.zero_grad()

    # So that torch does not wrap `step` in its profiler's records: those of the networks have them.
    step.hooked = True  # type: ignore[attr-defined]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of every network that is not accumulating."""
        for network, optimizer in self.optimizers.items():
            if self.accumulated[network]:
                continue
            if set_to_none:  # plainly: torch's method also records itself for its profiler
                for parameter in self.parameters(network):
                    parameter.grad = None
            else:
                optimizer.zero_grad(set_to_none=False)

    def state_dict(self) -> Dict[str, Any]:
        """Return the states of all optimisers, without gradients: see `AccumulatedGradients`."""
        return {
            network: {
                "optimizer": optimizer.state_dict(),
                "accumulated": self.accumulated[network],
            }
            for network, optimizer in self.optimizers.items()
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the states of all optimisers."""
        for network, optimizer in self.optimizers.items():
            state = state_dict[network]
            optimizer.load_state_dict(state["optimizer"])
            self.accumulated[network] = state["accumulated"]
        self.param_groups = [g for o in self.optimizers.values() for g in o.param_groups]


class AccumulatedGradients:
    """The gradients of networks that are accumulating, as part of the state of a worker.

    Unlike the state of the optimiser they differ between workers, which are averaged only when a
    step is due.
    """

    def __init__(self, optimizer: JointOptimizer) -> None:
        self._optimizer = optimizer

    def state_dict(self) -> Dict[str, List[Optional[torch.Tensor]]]:
        """Return the gradients of each network that is accumulating."""
        return {
            network: [parameter.grad for parameter in self._optimizer.parameters(network)]
            for network, count in self._optimizer.accumulated.items()
            if count
        }

    def load_state_dict(self, state_dict: Dict[str, List[Optional[torch.Tensor]]]) -> None:
        """Set the gradients of each network that is accumulating."""
        for network, gradients in state_dict.items():
            parameters = self._optimizer.parameters(network)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                moved = None if gradient is None else gradient.to(parameter.device)
                parameter.grad = None if moved is None else like(parameter, moved)


class JointScheduler(LearningRateScheduler):
    """The learning-rate schedulers of several networks, stepped together once a batch and epoch.

    Only the schedulers of the networks in `active`, which are being trained, are stepped. Each
    counts the batches on which its network is trained.
    """

    def __init__(self, schedulers: Dict[str, LearningRateScheduler]) -> None:
        self.schedulers = schedulers
        self.active: Collection[str] = set(schedulers)
        self.batches_before: Dict[str, int] = {}

    def get_values(self) -> List[float]:
        """Return the learning rates, network by network."""
        return [rate for scheduler in self.schedulers.values() for rate in scheduler.get_values()]

    def step(self, metric: Optional[float] = None) -> None:
        """End an epoch, with its validation metric."""
        for network, scheduler in self.schedulers.items():
            if network in self.active:
                scheduler.step(metric)

    def step_batch(self, batch_num_total: Optional[int] = None) -> None:
        """End a batch."""
        for network, scheduler in self.schedulers.items():
            if network not in self.active:
                if network in self.batches_before:  # between two ranges of its epochs
                    self.batches_before[network] += 1
                continue
            if batch_num_total is None:
                scheduler.step_batch()
            else:
                before = self.batches_before.setdefault(network, batch_num_total - 1)
                scheduler.step_batch(batch_num_total - before)

    def state_dict(self) -> Dict[str, Any]:
        """Return the states of all schedulers."""
        return {
            "schedulers": {name: each.state_dict() for name, each in self.schedulers.items()},
            "batches_before": dict(self.batches_before),
        }

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the states of all schedulers."""
        for network, scheduler in self.schedulers.items():
            scheduler.load_state_dict(state_dict["schedulers"][network])
        self.batches_before = dict(state_dict["batches_before"])


def joint_optimizer(
    networks: Groups,
    settings: Dict[str, NetworkSettings],
    accumulation_steps: Dict[str, int],
    grad_clipping: Optional[float] = None,
) -> Lazy[Optimizer]:
    """Return a builder of the optimisers, each over the parameters of its network that require a
    gradient."""

    def build(model_parameters: Any) -> JointOptimizer:
        optimizers: Dict[str, torch.optim.Optimizer] = {}
        for name, of_network in settings.items():
            trained = [(n, p) for n, p in networks[name] if p.requires_grad]
            if not trained:
                raise ConfigurationError(
                    f"Expected weights of the {name} that are trained, got none, since they are "
                    "constant or in 'no_grad' of the trainer; leave it out of 'steps'."
                )
            assert of_network.optimizer is not None
            optimizers[name] = of_network.optimizer.construct(model_parameters=trained)
            check_options(name, optimizers[name])
        return JointOptimizer(
            optimizers,
            accumulation_steps,
            {name: of_network.grad_norm for name, of_network in settings.items()},
            grad_clipping,
        )

    return Lazy(build)


def check_options(network: str, optimizer: torch.optim.Optimizer) -> None:
    """Raise an error if a parameter group has an option that the optimiser does not read."""
    for group in optimizer.param_groups:
        unknown = group.keys() - {"params", "requires_grad"} - optimizer.defaults.keys()
        if unknown:
            raise ConfigurationError(
                f"Expected options of {type(optimizer).__name__} in the parameter groups of "
                f"'{network}', {sorted(optimizer.defaults)}, got {sorted(unknown)}."
            )


def joint_scheduler(
    settings: Dict[str, NetworkSettings], epochs: Dict[str, Epochs]
) -> Optional[Lazy[LearningRateScheduler]]:
    """Return a builder of the schedulers, each over the epochs of its network; `None` if no network
    has a scheduler."""

    schedulers = {
        name: of_network.learning_rate_scheduler
        for name, of_network in settings.items()
        if of_network.learning_rate_scheduler is not None
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
