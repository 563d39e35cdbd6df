"""A linear layer that is faster on rows with few features."""

import functools
import warnings
from typing import Any, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch.nn.functional import linear

from ..unchanged import Unchanged

DENSEST = 1 / 16
"""The share of entries that are not zero up to which a product of sparse rows is the faster one."""
FEWEST = 256
"""The number of features from which on a layer looks whether its rows are sparse."""


class _Rows(NamedTuple):
    """A batch of rows, and its compressed form, or `None` if it is dense."""

    unchanged: Unchanged
    compressed: Optional[torch.Tensor]


class SparseLinear(torch.nn.Linear):
    """A linear layer W x + b whose forward pass on a CPU reads only the columns of W for features
    that are not zero, where they are few: on bibtex, with 68 of 1,836, in a quarter of the time.

    W has the usual shape `(out_features, in_features)`; in memory its columns are contiguous. The
    gradient of W is that of a dense product, to which every feature of a batch contributes.
    Where x takes a gradient, under autocast and in compiled code, the layer is torch's own.
    """

    _last: Optional[_Rows] = None  # the steps on a batch share its compressed form

    @classmethod
    def of(cls, layer: torch.nn.Linear) -> "SparseLinear":
        """Return the layer with the weights of another one."""
        sparse = cls(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        sparse.weight = torch.nn.Parameter(by_column(layer.weight.detach()))
        sparse.bias = layer.bias
        return sparse

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the product of x `(batch, in_features)`."""
        compressed = self._compressed(x)
        if compressed is None:
            return linear(x, self.weight, self.bias)
        product = _SparseProduct.apply(x, compressed, self.weight)
        return product if self.bias is None else product + self.bias

    def _compressed(self, x: torch.Tensor) -> Optional[torch.Tensor]:
        fits = (
            x.device.type == "cpu"
            and x.dim() == 2
            and self.in_features >= FEWEST
            and x.dtype == self.weight.dtype
            and x.dtype in (torch.float32, torch.float64)
            and not x.requires_grad
            and not torch.compiler.is_compiling()
            and not torch.is_autocast_enabled("cpu")
        )
        if not fits:
            return None
        last = self._last
        if last is None or not last.unchanged.still(x):
            last = self._last = _Rows(Unchanged(x), compress(x))
        return last.compressed

    def __getstate__(self) -> Any:
        return {name: value for name, value in self.__dict__.items() if name != "_last"}


class _SparseProduct(torch.autograd.Function):
    """x Wᵀ for rows x, given twice, dense and compressed."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, compressed: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(x)
        return compressed @ weight.t()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[None, None, torch.Tensor]:
        (x,) = ctx.saved_tensors
        return None, None, (x.t() @ gradient).t()


def compress(x: torch.Tensor) -> Optional[torch.Tensor]:
    """Return rows x `(batch, num_features)` in compressed form, or `None` if they are dense."""
    entries = x.detach().reshape(-1)
    places = (entries != 0).numpy().nonzero()[0]
    if len(places) > DENSEST * len(entries):
        return None
    _silence_warning()
    # 32-bit numbers are those of the library that multiplies.
    rows, columns = np.divmod(places.astype(np.int32), np.int32(x.shape[1]))
    ends = rows.searchsorted(np.arange(len(x) + 1, dtype=np.int32)).astype(np.int32)
    return torch.sparse_csr_tensor(
        torch.from_numpy(ends),
        torch.from_numpy(columns),
        entries[torch.from_numpy(places)],
        x.shape,
        check_invariants=False,
    )


@functools.lru_cache(maxsize=None)
def _silence_warning() -> None:
    """Trigger torch's one warning about compressed tensors, which are in beta, silenced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.eye(1).to_sparse_csr()


def by_column(weight: torch.Tensor) -> torch.Tensor:
    """Return a matrix with the same entries whose columns are contiguous in memory."""
    return weight.t().contiguous().t()
