"""The base of task networks and score networks, and contexts that keep their weights constant."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import Any, ContextManager, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from .encoded import CONSTANT, Encoded, Encoding, single
from .logging import LoggingMixin

Groups = Dict[str, List[Tuple[str, torch.nn.Parameter]]]


class Network(torch.nn.Module, ABC):
    """A network that encodes an input x.

    A subclass fills `encode(x, mask)`. Callers ask `encoding(x, mask)`, which reads the encoding
    from an `Encoded` where it is stored there, and computes it otherwise.
    """

    is_frozen = False
    """Whether the network is inside `frozen`: its weights take no gradient."""

    takes_encoded = False
    """Whether `encode` is given the `Encoded` of x, with the encodings of other networks."""

    @abstractmethod
    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> Encoding:
        """Return the encoding of x: tensors whose first dimension is the batch."""

    def encoding(self, x: Any, mask: Optional[torch.Tensor] = None) -> Encoding:
        """Return the encoding of x, which is an input or an `Encoded`; half precision, as under
        autocast, becomes single."""
        return x.encoding(self, mask) if isinstance(x, Encoded) else single(self.encode(x, mask))

    def compile_parts(self) -> None:
        """Compile `encode` by `torch.compile`; the names of the weights do not change."""
        self.encode = torch.compile(self.encode)  # type: ignore[method-assign]


# Without the work of Module.__setattr__ for modules and weights, which is slow on the hot path.
set_plainly = object.__setattr__


def deterministic(*modules: Optional[torch.nn.Module]) -> ContextManager[None]:
    """Turn the dropout of `modules` off inside the context.

    Recurrent networks (`torch.nn.RNNBase`) are in training mode there, with a dropout of 0, since
    cuDNN computes no gradients of those in evaluation mode. Gradients still reach the parameters of
    all. `None` is skipped. Contexts nest, and any other part in evaluation mode stays in it.
    """
    return _without_dropout(_parts(modules))


@contextmanager
def _without_dropout(parts: List[torch.nn.Module]) -> Iterator[None]:
    # cuDNN computes gradients of recurrent networks in training mode only.
    recurrent = [
        (part, part.training, part.dropout) for part in parts if isinstance(part, torch.nn.RNNBase)
    ]
    # A sampler or loss has no dropout: its mode marks training.
    training = [
        part
        for part in parts
        if part.training and not isinstance(part, (LoggingMixin, torch.nn.RNNBase))
    ]
    try:
        for part in training:
            set_plainly(part, "training", False)
        for part, _, _ in recurrent:
            set_plainly(part, "training", True)
            set_plainly(part, "dropout", 0.0)
        yield
    finally:
        for part in training:
            set_plainly(part, "training", True)
        for part, mode, dropout in recurrent:
            set_plainly(part, "training", mode)
            set_plainly(part, "dropout", dropout)


def _parts(modules: Sequence[Optional[torch.nn.Module]]) -> List[torch.nn.Module]:
    # Without the parts of encoders whose weights and mode are constant, such as of a transformer.
    # The walk of Module.modules also makes names, which takes several times as long.
    parts = [module for module in dict.fromkeys(modules) if module is not None]
    seen = set(parts)
    for part in parts:  # which grows
        if CONSTANT in part.__dict__:
            continue
        for child in part._modules.values():
            if child is not None and child not in seen:
                seen.add(child)
                parts.append(child)
    return parts


@contextmanager
def frozen(*modules: Optional[torch.nn.Module]) -> Iterator[None]:
    """Make `modules` `deterministic`, and their parameters constants, inside the context.

    Gradients still flow through them to their inputs. Contexts nest, and a parameter that is frozen
    already stays frozen.

    >>> layer = torch.nn.Linear(1, 1)
    >>> with frozen(layer):
    ...     layer.weight.requires_grad
    False
    >>> layer.weight.requires_grad
    True
    """
    parts = _parts(modules)
    parameters = [
        parameter
        for part in parts
        for parameter in part._parameters.values()
        if parameter is not None and parameter.requires_grad
    ]
    networks = [part for part in parts if isinstance(part, Network) and not part.is_frozen]
    with _without_dropout(parts):
        try:
            for parameter in parameters:
                parameter.requires_grad_(False)
            for network in networks:
                set_plainly(network, "is_frozen", True)
            yield
        finally:
            for parameter in parameters:
                parameter.requires_grad_(True)
            for network in networks:
                set_plainly(network, "is_frozen", False)


def partition(owner: torch.nn.Module, parts: Dict[str, List[torch.nn.Module]]) -> Groups:
    """Return the named parameters of `owner` by network, without networks that have none.

    # Raises

    `ConfigurationError` for a parameter in no network or in several.
    """
    homes: Dict[int, List[str]] = {}
    for network, modules in parts.items():
        for identity in {id(p) for module in modules for p in module.parameters()}:
            homes.setdefault(identity, []).append(network)
    groups: Groups = {network: [] for network in parts}
    for name, parameter in owner.named_parameters():
        owners = homes.get(id(parameter), [])
        if len(owners) != 1:
            raise ConfigurationError(
                "Expected every parameter to belong to the score network or to the task network, "
                f"got '{name}' in {'both networks' if owners else 'neither network'}; give each "
                "network parameters of its own."
            )
        groups[owners[0]].append((name, parameter))
    return {network: group for network, group in groups.items() if group}


def hand_down(collaborator: Any) -> Any:
    """Mark a collaborator as owned by the model and return it: the samplers and losses that it is
    handed down to refer to it without owning it (see `Borrower`)."""
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
    of the attribute: `self.network = task_network` is enough. Neither does a value stored under the
    names by which the model hands down its networks, `task_network` and `score_network`, in a
    sampler that was built without a model. Any other module, such as a network of the sampler's
    own, becomes a submodule as usual.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("task_network", "score_network") or getattr(value, "_handed_down", False):
            share(self, name, value)
        else:
            super().__setattr__(name, value)
