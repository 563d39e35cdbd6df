"""An input together with the encodings that networks computed of it."""

from typing import Any, Callable, Dict, Hashable, NamedTuple, Optional, Protocol, Tuple, TypeVar

import torch

# The attribute of an encoder whose weights are not trained and which stays in evaluation mode.
CONSTANT = "is_constant"

# Tensors whose first dimension is the batch; `None` stands for a part without an encoding.
Encoding = Tuple[Optional[torch.Tensor], ...]
Result = TypeVar("Result")


class Encodes(Protocol):
    """The part of a network that `Encoded` needs."""

    training: bool
    is_frozen: bool
    takes_encoded: bool

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> Encoding:
        """Return the encoding of x."""


class _Stored(NamedTuple):
    encoding: Encoding
    differentiable: bool
    """Whether it was computed where gradients of the network's weights are recorded."""
    deterministic: bool


class Encoded:
    """An input x, its mask, and the encodings that networks computed of it.

    A network that is called with an `Encoded` in place of x computes its encoding once and reads it
    on later calls. It computes the encoding again where that can differ: in training mode, with
    another mask, or where gradients are wanted of an encoding that was computed without them.
    After a step of an optimiser, call `forget_trained`.

    # Parameters

    x : `Any`
        The input, as the data loader gives it.
    mask : `torch.Tensor`, optional
        The real positions, bool `(batch, *position_shape)`.
    """

    def __init__(self, x: Any, mask: Optional[torch.Tensor] = None) -> None:
        self._x = x
        self.mask = mask
        self._stored: Dict[Encodes, _Stored] = {}
        self._results: Dict[Hashable, Any] = {}

    @property
    def x(self) -> Any:
        """The input."""
        return self._x

    @staticmethod
    def of(x: Any, mask: Optional[torch.Tensor] = None) -> "Encoded":
        """Return x if it is an `Encoded` with this mask, otherwise a new one."""
        if not isinstance(x, Encoded):
            return Encoded(x, mask)
        return x if x.mask is mask else Encoded(x.x, mask)

    @staticmethod
    def input(x: Any) -> Any:
        """Return the input itself of x, which is an input or an `Encoded`."""
        return x.x if isinstance(x, Encoded) else x

    def encoding(self, network: Encodes, mask: Optional[torch.Tensor]) -> Encoding:
        """Return the encoding of x by `network`, in single precision."""
        if mask is not self.mask:
            return single(network.encode(self.x, mask))
        stored = self._stored.get(network)
        # Through the encoding of another network, gradients may be wanted of a frozen one too.
        wanted = torch.is_grad_enabled() and (network.takes_encoded or not network.is_frozen)
        if (
            stored is None
            or network.training
            or not stored.deterministic
            or (wanted and not stored.differentiable)
        ):
            encoding = single(network.encode(self if network.takes_encoded else self.x, mask))
            stored = self._stored[network] = _Stored(encoding, wanted, not network.training)
        return stored.encoding

    def latest(self, network: Encodes, mask: Optional[torch.Tensor]) -> Encoding:
        """Return the last encoding of x by `network`, with its dropout; compute it if there is
        none."""
        stored = self._stored.get(network)
        if stored is None or mask is not self.mask:
            return self.encoding(network, mask)
        return stored.encoding

    def once(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Return the result of `compute`, which follows from x and the weights, such as a
        prediction; it is computed at the first call with this key."""
        if key not in self._results:
            self._results[key] = compute()
        return self._results[key]

    def forget_trained(self) -> None:
        """Keep only the encodings of frozen networks, since the weights of the others changed."""
        self._results.clear()
        self._stored = {
            network: stored
            for network, stored in self._stored.items()
            # Through the encoding of another network, that of a frozen one may change too.
            if network.is_frozen and not network.takes_encoded
        }

    def rows(self, index: torch.Tensor) -> "Encoded":
        """Return the instances `index`; their encodings are rows of the encodings of all."""
        return _Rows(self, index)


class _Rows(Encoded):
    """Some instances of an `Encoded`."""

    def __init__(self, whole: Encoded, index: torch.Tensor) -> None:
        super().__init__(None, None if whole.mask is None else whole.mask[index])
        self.whole = whole
        self.index = index
        self._selected: Dict[Encodes, Tuple[Encoding, Encoding]] = {}

    @property
    def x(self) -> Any:
        return rows_of(self.whole.x, self.index)

    def encoding(self, network: Encodes, mask: Optional[torch.Tensor]) -> Encoding:
        if mask is not self.mask:
            return super().encoding(network, mask)
        return self._select(network, self.whole.encoding(network, self.whole.mask))

    def latest(self, network: Encodes, mask: Optional[torch.Tensor]) -> Encoding:
        if mask is not self.mask:
            return super().encoding(network, mask)
        return self._select(network, self.whole.latest(network, self.whole.mask))

    def _select(self, network: Encodes, whole: Encoding) -> Encoding:
        source, selected = self._selected.get(network, (None, None))
        if source is not whole or selected is None:
            selected = _map(lambda tensor: tensor[self.index], whole)
            self._selected[network] = (whole, selected)
        return selected


def rows_of(x: Any, index: torch.Tensor) -> Any:
    """Return the rows `index` of an input: a tensor, a list, or a dictionary of inputs."""
    if isinstance(x, dict):
        return {key: rows_of(value, index) for key, value in x.items()}
    if isinstance(x, torch.Tensor):
        return x[index]
    return [x[row] for row in index.tolist()]


def single(encoding: Encoding) -> Encoding:
    """Return the encoding with half precision converted to single: logits and scores are sums of
    many terms, and half precision cannot tell probabilities near 1 from 1."""
    return _map(at_least_single, encoding)


def at_least_single(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor, converted to single precision if it is of half."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _map(function: Callable[[torch.Tensor], torch.Tensor], encoding: Encoding) -> Encoding:
    return tuple(None if part is None else function(part) for part in encoding)
