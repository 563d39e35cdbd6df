"""What task networks and score networks have in common: they can be frozen, and reuse what they
computed for one x while they are."""

from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Iterator, Optional, Tuple

import torch


class Network(torch.nn.Module):
    """A network whose encoding of x is computed once while its weights cannot change.

    Inside `reusing()` the encoding of the same x object is computed once; outside, every call
    computes it. Only `frozen` opens that scope, so no result outlives a step of the optimiser.
    """

    def __init__(self) -> None:
        super().__init__()
        self._scopes = 0
        self._reused: Optional[Tuple[Any, Any]] = None
        self._rows: Optional[torch.Tensor] = None

    @contextmanager
    def reusing(self) -> Iterator[None]:
        """The scope in which the encoding of x is kept; scopes nest."""
        self._scopes += 1
        try:
            yield
        finally:
            self._scopes -= 1
            if not self._scopes:
                self._reused = None

    @contextmanager
    def narrowed(self, rows: torch.Tensor) -> Iterator[None]:
        """Inside, and inside `reusing()`, the network is called with the whole x and answers for
        the instances `rows` alone, from the encoding that it has."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    def _encoding(self, x: Any, encode: Callable[[], torch.Tensor]) -> torch.Tensor:
        if not self._scopes:
            encoding = encode()
        else:
            if self._reused is None or self._reused[0] is not x:
                self._reused = (x, encode())
            encoding = self._reused[1]
        return encoding if self._rows is None else encoding[self._rows]


@contextmanager
def frozen(*modules: Optional[torch.nn.Module]) -> Iterator[None]:
    """Inside, the parameters of `modules` take no gradient and their dropout is off.

    Gradients still flow through them to their inputs. `None` is passed over. Scopes nest, and what
    was frozen or in evaluation mode before stays so.

    >>> layer = torch.nn.Linear(1, 1)
    >>> with frozen(layer):
    ...     layer.weight.requires_grad
    False
    >>> layer.weight.requires_grad
    True
    """
    with ExitStack() as scopes:
        parameters, training = [], []
        for module in modules:
            if module is None:
                continue
            parameters += [p for p in module.parameters() if p.requires_grad]
            for part in module.modules():
                if part.training:
                    training.append(part)
                if isinstance(part, Network):
                    scopes.enter_context(part.reusing())
        try:
            for parameter in parameters:
                parameter.requires_grad_(False)
            for part in training:
                part.training = False
            yield
        finally:
            for parameter in parameters:
                parameter.requires_grad_(True)
            for part in training:
                part.training = True


def share(owner: torch.nn.Module, name: str, value: Any) -> None:
    """Sets `owner.name` to a collaborator that another module owns.

    The collaborator does not become a submodule, so the state dictionary holds it once and
    `parameters()` of `owner` are its own.
    """
    object.__setattr__(owner, name, value)
