"""The schedule of the networks' steps, and the settings by which each network is optimised."""

import copy
import itertools
from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Set,
    Tuple,
    Union,
)

from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer


class Epochs(Collection[int]):
    """The epochs in some ranges, which take no memory of their own.

    >>> epochs = Epochs([range(0, 2), range(5, 10**6)])
    >>> 3 in epochs, 7 in epochs, len(epochs)
    (False, True, 999997)
    """

    def __init__(self, ranges: Iterable[range]) -> None:
        self.ranges = [each for each in ranges if len(each)]

    def __contains__(self, epoch: object) -> bool:
        return any(epoch in each for each in self.ranges)

    def __iter__(self) -> Iterator[int]:
        return itertools.chain.from_iterable(self.ranges)

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    @property
    def edges(self) -> Set[int]:
        """The epochs before which a range starts or stops."""
        return {edge for each in self.ranges for edge in (each.start, each.stop)}


class NetworkSettings(FromParams):
    """Settings by which one network is optimised; the trainer's are the default.

    # Parameters

    optimizer : `Lazy[Optimizer]`, optional
        The optimiser of the network's weights.
    learning_rate_scheduler : `Lazy[LearningRateScheduler]`, optional
        The scheduler, stepped once a batch, however many steps the network takes on it, also where
        the gradient is accumulated.
    grad_norm : `Union[float, bool]`, optional
        The norm to which the network's gradient is clipped; `true` only measures it.
    num_gradient_accumulation_steps : `int`, optional
        The number of batches over which the gradient is averaged before a step; of a network with
        several steps on a batch, the number of its steps.
    start_epoch, stop_epoch : `int`
        The network is trained from `start_epoch` until before `stop_epoch`, by default in all
        epochs. For example, a score network can be trained first and frozen later.
    epochs : `List[Tuple[int, Optional[int]]]`, optional
        Several such ranges instead, `[start, stop]`, in order: with `[[0, 10], [20, null]]` the
        network is trained in the first 10 epochs and again from epoch 20 to the end.

    # Raises

    `ConfigurationError` for numbers that are not above 0, for ranges that are empty, overlap or are
    not in order, and for `epochs` beside `start_epoch` or `stop_epoch`.
    """

    def __init__(
        self,
        optimizer: Optional[Lazy[Optimizer]] = None,
        learning_rate_scheduler: Optional[Lazy[LearningRateScheduler]] = None,
        grad_norm: Optional[Union[float, bool]] = None,
        num_gradient_accumulation_steps: Optional[int] = None,
        start_epoch: int = 0,
        stop_epoch: Optional[int] = None,
        epochs: Optional[List[Tuple[int, Optional[int]]]] = None,
    ) -> None:
        self.optimizer = optimizer
        self.learning_rate_scheduler = learning_rate_scheduler
        self.grad_norm = grad_norm
        self.num_gradient_accumulation_steps = num_gradient_accumulation_steps
        self.start_epoch = start_epoch
        self.stop_epoch = stop_epoch
        self.epochs = epochs
        check_positive("grad_norm", grad_norm)
        check_positive("num_gradient_accumulation_steps", num_gradient_accumulation_steps)
        if epochs is not None and (start_epoch or stop_epoch is not None):
            raise ConfigurationError(
                "Expected either 'epochs' or 'start_epoch' and 'stop_epoch' of a network in "
                f"the trainer 'minimax', got epochs {epochs}, start_epoch {start_epoch} and "
                f"stop_epoch {stop_epoch}; leave out one of them."
            )
        check_ranges([(start_epoch, stop_epoch)] if epochs is None else epochs)

    def filled(self, by_default: "NetworkSettings") -> "NetworkSettings":
        """Return these settings, with missing ones taken from `by_default`."""
        settings = copy.copy(by_default)
        for name, value in vars(self).items():
            if value is not None:
                setattr(settings, name, value)
        return settings

    def trained_epochs(self, num_epochs: int) -> Epochs:
        """Return the epochs of a run of `num_epochs` in which the network is trained."""
        ranges = self.epochs or [(self.start_epoch, self.stop_epoch)]
        return Epochs(
            range(start, num_epochs if stop is None else min(stop, num_epochs))
            for start, stop in ranges
        )


def check_positive(name: str, value: Union[float, bool, None]) -> None:
    """Raise `ConfigurationError` for a number that is not above 0; true, false and none are."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not value > 0:
        raise ConfigurationError(
            f"Expected {name} of the trainer 'minimax', or of its networks, to be above 0, got "
            f"{value}; leave it out to do without it."
        )


def check_ranges(ranges: List[Tuple[int, Optional[int]]]) -> None:
    """Raise `ConfigurationError` unless the ranges `[start, stop]` are in order and apart."""
    end: Optional[int] = 0
    for each in ranges:
        if not is_range(each) or end is None or each[0] < end:
            break
        end = each[1]
    else:
        if ranges:
            return
    raise ConfigurationError(
        "Expected ranges of epochs [start, stop] in order, each after the one before, such as "
        "[[0, 10], [20, null]], in 'epochs' of a network of the trainer 'minimax', or a "
        f"start_epoch from 0 that is below stop_epoch, got {ranges}."
    )


def is_range(value: Any) -> bool:
    """Return whether a value of a config is a range of epochs, `[start, stop]`, with an epoch."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    start, stop = value
    if type(start) is not int or type(stop) not in (int, type(None)):
        return False
    return stop is None or start < stop


class Schedule(NamedTuple):
    """The network of each step on a batch, in order, and the epochs in which each is trained.

    A phase is a range of epochs in which the same networks are trained; every run has at least one.
    """

    steps: Tuple[str, ...]
    epochs: Dict[str, Epochs]

    def active(self, epoch: int) -> Tuple[str, ...]:
        """Return the network of each step on a batch of this epoch."""
        return tuple(network for network in self.steps if epoch in self.epochs[network])

    @property
    def last_phase(self) -> int:
        """The first epoch of the last phase."""
        *starts, _ = self.edges
        return max(e for e in starts if e == 0 or self.active(e) != self.active(e - 1))

    @property
    def edges(self) -> List[int]:
        """The epochs before which the trained networks may change, and the number of epochs."""
        return sorted({0}.union(*(epochs.edges for epochs in self.epochs.values())))


def check_network(where: str, name: str, known: Collection[str]) -> None:
    """Raise `ConfigurationError` for a network that is not among `known`."""
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
    """Return the network of each step on a batch, in order."""
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
    of_networks: Optional[Dict[str, NetworkSettings]],
    by_default: NetworkSettings,
) -> Dict[str, NetworkSettings]:
    """Return the settings of each network that takes steps, with the trainer's as the default."""
    settings = dict.fromkeys(dict.fromkeys(steps), by_default)
    for name, of_network in (of_networks or {}).items():
        check_network("networks", name, settings)
        settings[name] = of_network.filled(by_default)
    return settings


def accumulation(settings: Dict[str, NetworkSettings], use_amp: bool) -> Dict[str, int]:
    """Return the number of batches over which the gradient of each network is averaged."""
    steps = {name: each.num_gradient_accumulation_steps or 1 for name, each in settings.items()}
    if use_amp and max(steps.values()) > 1:
        raise ConfigurationError(
            "Expected no gradient accumulation with use_amp in the trainer 'minimax', got "
            f"{steps}; use a larger batch, or use_amp: false."
        )
    return steps


def make_schedule(
    steps: Tuple[str, ...], settings: Dict[str, NetworkSettings], num_epochs: int
) -> Schedule:
    """Return the schedule of a run.

    # Raises

    `ConfigurationError` without an epoch, and for one in which no network is trained.
    """
    if num_epochs < 1:
        raise ConfigurationError(
            f"Expected num_epochs of the trainer 'minimax' to be at least 1, got {num_epochs}."
        )
    schedule = Schedule(
        steps, {name: each.trained_epochs(num_epochs) for name, each in settings.items()}
    )
    for epoch in schedule.edges:  # between them the same networks are trained
        if epoch < num_epochs and not schedule.active(epoch):
            raise ConfigurationError(
                f"Expected a network to train in each of the trainer's {num_epochs} epochs "
                f"(num_epochs), got none in epoch {epoch}; check start_epoch, stop_epoch and "
                "epochs in 'networks'."
            )
    return schedule
