"""Which network takes which steps, and when, and how each is optimised."""

import copy
from typing import Collection, Dict, List, NamedTuple, Optional, Tuple, Union

from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer


class NetworkSettings(FromParams):
    """How one network is optimised; what is not given is that of the trainer.

    # Parameters

    optimizer : `Lazy[Optimizer]`, optional
        Of the network's weights alone.
    learning_rate_scheduler : `Lazy[LearningRateScheduler]`, optional
        Stepped once a batch of data, however many steps the network takes on it.
    grad_norm : `Union[float, bool]`, optional
        The norm to which the network's gradient is clipped; `true` only measures it.
    num_gradient_accumulation_steps : `int`, optional
        Over how many batches the gradient is averaged before a step.
    start_epoch, stop_epoch : `int`
        The network is trained in the epochs from `start_epoch` up to, and without, `stop_epoch`; by
        default in all. So a score network can be trained first and then kept as it is.
    """

    def __init__(
        self,
        optimizer: Optional[Lazy[Optimizer]] = None,
        learning_rate_scheduler: Optional[Lazy[LearningRateScheduler]] = None,
        grad_norm: Optional[Union[float, bool]] = None,
        num_gradient_accumulation_steps: Optional[int] = None,
        start_epoch: int = 0,
        stop_epoch: Optional[int] = None,
    ) -> None:
        self.optimizer = optimizer
        self.learning_rate_scheduler = learning_rate_scheduler
        self.grad_norm = grad_norm
        self.num_gradient_accumulation_steps = num_gradient_accumulation_steps
        self.start_epoch = start_epoch
        self.stop_epoch = stop_epoch

    def filled(self, by_default: "NetworkSettings") -> "NetworkSettings":
        """These settings, and by default others."""
        settings = copy.copy(by_default)
        for name, value in vars(self).items():
            if value is not None:
                setattr(settings, name, value)
        return settings

    def epochs(self, num_epochs: int) -> range:
        """The epochs of a run of `num_epochs` in which the network is trained."""
        stop = num_epochs if self.stop_epoch is None else min(self.stop_epoch, num_epochs)
        return range(self.start_epoch, stop)


class Schedule(NamedTuple):
    """The network of each step on a batch, in order, and the epochs in which each is trained.

    Epochs in which the same networks are trained are a phase; every run has at least one.
    """

    steps: Tuple[str, ...]
    epochs: Dict[str, range]

    def active(self, epoch: int) -> Tuple[str, ...]:
        """The network of each step on a batch of this epoch."""
        return tuple(network for network in self.steps if epoch in self.epochs[network])

    @property
    def last_phase(self) -> int:
        """The epoch with which the last phase begins."""
        end = max(epochs.stop for epochs in self.epochs.values())
        changes = {edge for epochs in self.epochs.values() for edge in (epochs.start, epochs.stop)}
        return max(edge for edge in {0, *changes} if edge < end)


def check_network(where: str, name: str, known: Collection[str]) -> None:
    """Raises `ConfigurationError` for a network that is not among `known`."""
    if name not in known:
        raise ConfigurationError(
            f"Expected a network that has a loss, one of {sorted(known)}, in '{where}' of the "
            f"trainer 'minimax', got '{name}'."
        )


def make_steps(
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


def network_settings(
    steps: Tuple[str, ...],
    given: Optional[Dict[str, NetworkSettings]],
    by_default: NetworkSettings,
) -> Dict[str, NetworkSettings]:
    """The settings of each network that takes steps, filled with the trainer's."""
    settings = dict.fromkeys(dict.fromkeys(steps), by_default)
    for name, of_network in (given or {}).items():
        check_network("networks", name, settings)
        settings[name] = of_network.filled(by_default)
    return settings


def accumulation(settings: Dict[str, NetworkSettings], use_amp: bool) -> Dict[str, int]:
    """Over how many batches the gradient of each network is averaged."""
    steps = {name: given.num_gradient_accumulation_steps or 1 for name, given in settings.items()}
    if use_amp and max(steps.values()) > 1:
        raise ConfigurationError(
            "Expected no gradient accumulation with use_amp in the trainer 'minimax', got "
            f"{steps}; use a larger batch, or use_amp: false."
        )
    return steps


def make_schedule(
    steps: Tuple[str, ...], settings: Dict[str, NetworkSettings], num_epochs: int
) -> Schedule:
    """The steps with the epochs in which each network takes them, some network in every epoch."""
    schedule = Schedule(steps, {name: given.epochs(num_epochs) for name, given in settings.items()})
    for epoch in range(num_epochs):
        if not schedule.active(epoch):
            raise ConfigurationError(
                "Expected a network that is trained in each of the trainer's epochs (num_epochs "
                f"{num_epochs}), got none in epoch {epoch}; check start_epoch and stop_epoch of "
                "'networks'."
            )
    return schedule
