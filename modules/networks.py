"""What task networks and score networks have in common: they can be frozen, and reuse what they
computed for one x while they are."""

from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from .logging import LoggingMixin

Groups = Dict[str, List[Tuple[str, torch.nn.Parameter]]]


class _Encoding(NamedTuple):
    """An encoding that a network keeps, and what it is of."""

    x: Any
    mask: Optional[torch.Tensor]
    values: torch.Tensor
    has_gradient: bool

    def is_of(self, x: Any, mask: Optional[torch.Tensor]) -> bool:
        """Whether x is the same object and the mask is the same."""
        if x is not self.x or mask is self.mask:
            return x is self.x
        return mask is not None and self.mask is not None and torch.equal(mask, self.mask)


class Network(torch.nn.Module, ABC):
    """A network whose encoding of x is computed once while its weights cannot change.

    Inside `reusing()` the encoding of the same x object with the same mask is computed once;
    outside, every call computes it. Only `deterministic` and `frozen` open that scope, so no result
    outlives a step of the optimiser.
    """

    def __init__(self) -> None:
        super().__init__()
        self._scopes = 0
        self._frozen = 0
        self._reused: Optional[_Encoding] = None
        self._rows: Optional[torch.Tensor] = None

    @contextmanager
    def reusing(self, frozen: bool) -> Iterator[None]:
        """The scope in which the encoding of x is kept, and in which, where `frozen`, the weights
        take no gradient; scopes nest."""
        self._scopes += 1
        self._frozen += frozen
        try:
            yield
        finally:
            self._scopes -= 1
            self._frozen -= frozen
            if not self._scopes:
                self._reused = None

    @property
    def is_frozen(self) -> bool:
        """Whether the weights take no gradient, inside `frozen`."""
        return self._frozen > 0

    @contextmanager
    def narrowed(self, rows: torch.Tensor) -> Iterator[None]:
        """Inside, and inside `reusing()`, the network is called with the whole x and answers for
        the instances `rows` alone, from the encoding that it has."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    @abstractmethod
    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """The encoding of x, `(batch, ...)`; what is of half precision, as under autocast, leaves
        the network in single."""

    def compile_parts(self) -> None:
        """Compiles what is computed from tensors alone, by `torch.compile`; what is reused, and
        what the weights are called, stays as it is."""
        self.compute = torch.compile(self.compute)  # type: ignore[method-assign]

    def _encoding(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if not self._scopes:
            encoding = at_least_single(self.compute(x, mask))
        else:
            # An encoding that was computed without a gradient does not serve where one is wanted.
            wanted = torch.is_grad_enabled() and not self._frozen
            reused = self._reused
            if self._rows is not None and reused is not None:
                mask = reused.mask  # the caller's is of the rows only
            if reused is None or not reused.is_of(x, mask) or (wanted and not reused.has_gradient):
                values = at_least_single(self.compute(x, mask))
                self._reused = reused = _Encoding(x, mask, values, wanted)
            encoding = reused.values
        return encoding if self._rows is None else encoding[self._rows]


def at_least_single(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, in single precision where it is of half: logits and scores are sums of many
    terms, and probabilities near 1 cannot be told from it in half precision."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


# Without what Module.__setattr__ does, which costs on the hot path and serves modules and weights.
set_plainly = object.__setattr__


@contextmanager
def deterministic(*modules: Optional[torch.nn.Module]) -> Iterator[None]:
    """Inside, the dropout of `modules` is off and their encodings of x are computed once.

    Gradients still reach their parameters, which must not change inside. `None` is passed over.
    Scopes nest, and what was in evaluation mode before stays so.
    """
    with _deterministic(modules, frozen=False):
        yield


@contextmanager
def _deterministic(modules: Sequence[Optional[torch.nn.Module]], frozen: bool) -> Iterator[None]:
    with ExitStack() as scopes:
        training = []
        for module in modules:
            for part in () if module is None else module.modules():
                # A sampler or loss has no dropout: its mode says whether this is training.
                if part.training and not isinstance(part, LoggingMixin):
                    training.append(part)
                if isinstance(part, Network):
                    scopes.enter_context(part.reusing(frozen))
        try:
            for part in training:
                set_plainly(part, "training", False)
            yield
        finally:
            for part in training:
                set_plainly(part, "training", True)


@contextmanager
def frozen(*modules: Optional[torch.nn.Module]) -> Iterator[None]:
    """Inside, `modules` are `deterministic`, and their parameters take no gradient.

    Gradients still flow through them to their inputs. Scopes nest, and what was frozen before stays
    so.

    >>> layer = torch.nn.Linear(1, 1)
    >>> with frozen(layer):
    ...     layer.weight.requires_grad
    False
    >>> layer.weight.requires_grad
    True
    """
    parameters = [
        parameter
        for module in modules
        if module is not None
        for parameter in module.parameters()
        if parameter.requires_grad
    ]
    with _deterministic(modules, frozen=True):
        try:
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter in parameters:
                parameter.requires_grad_(True)


def partition(owner: torch.nn.Module, parts: Dict[str, List[torch.nn.Module]]) -> Groups:
    """The named parameters of `owner` by the networks whose parts they are in, without networks
    that have none.

    # Raises

    `ConfigurationError` for a parameter in no network or in several.
    """
    homes: Dict[int, List[str]] = {}
    for network, modules in parts.items():
        for identity in {id(p) for module in modules for p in module.parameters()}:
            homes.setdefault(identity, []).append(network)
    groups: Groups = {network: [] for network in parts}
    for name, parameter in owner.named_parameters():
        home = homes.get(id(parameter), [])
        if len(home) != 1:
            raise ConfigurationError(
                "Expected every parameter to belong to the score network or to the task network, "
                f"got '{name}' in {'both networks' if home else 'neither network'}; give each "
                "network parameters of its own."
            )
        groups[home[0]].append((name, parameter))
    return {network: group for network, group in groups.items() if group}


def hand_down(collaborator: Any) -> Any:
    """Mark a collaborator as owned by the model and return it: the samplers and losses that it is
    handed down to refer to it without holding it (see `Borrower`)."""
    set_plainly(collaborator, "_handed_down", True)
    return collaborator


def share(owner: torch.nn.Module, name: str, value: Any) -> None:
    """Set `owner.name` to a module that another module owns.

    It does not become a submodule, so the state dictionary holds it once and the parameters of
    `owner` do not include it.
    """
    set_plainly(owner, name, value)


class Borrower(torch.nn.Module):
    """The base of samplers and losses, whose collaborators belong to the model.

    A collaborator that was handed down (`hand_down`) does not become a submodule, whatever the name
    of the attribute: `self.network = task_network` is enough. Neither does what is stored under the
    names by which the model hands down its networks, `task_network` and `score_network`, in a
    sampler that was built without a model. Any other module, such as a network of the sampler's
    own, becomes a submodule as usual.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("task_network", "score_network") or getattr(value, "_handed_down", False):
            share(self, name, value)
        else:
            super().__setattr__(name, value)
