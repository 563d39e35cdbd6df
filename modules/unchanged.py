"""Whether tensors are still those of an earlier call."""

from typing import Tuple

import torch


class Unchanged:
    """Tensors, and their versions: each change in place gives a tensor another version.

    >>> x = torch.zeros(2)
    >>> earlier = Unchanged(x)
    >>> earlier.still(x), earlier.still(torch.zeros(2))
    (True, False)
    >>> earlier.still(x.add_(1))
    False
    """

    def __init__(self, *tensors: torch.Tensor) -> None:
        self._tensors = tensors
        self._versions = _versions(tensors)

    def still(self, *tensors: torch.Tensor) -> bool:
        """Return whether these are the same tensors, unchanged. Tensors of inference mode, which
        have no version, may have changed."""
        same = all(a is b for a, b in zip(tensors, self._tensors, strict=True))
        return same and -1 not in self._versions and _versions(tensors) == self._versions


def _versions(tensors: Tuple[torch.Tensor, ...]) -> Tuple[int, ...]:
    return tuple(-1 if tensor.is_inference() else tensor._version for tensor in tensors)
