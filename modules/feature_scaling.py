"""The scaling of features, and their statistics over the training data."""

from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np
import torch

from .unchanged import Unchanged
from .workers import all_gather_object

_BUFFERS = ("shift", "scale", "fill", "is_fitted")
_SMALLEST, _LARGEST = 1e-30, 1e30  # scales that single precision can invert


class Statistics(NamedTuple):
    """What the training data say of each feature, over the rows in which it has a value.

    # Fields

    num_values, num_nonzero : numbers of values, and of those that are not zero.
    mean : the mean.
    variance : the mean squared distance from it.
    mean_square : the mean square of the values that are not zero.
    is_binary : whether all values are 0 or 1.
    smallest, largest : the range.
    """

    num_values: np.ndarray
    num_nonzero: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    mean_square: np.ndarray
    is_binary: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    @property
    def is_constant(self) -> np.ndarray:
        """Whether a feature has the same value in all rows."""
        return (self.smallest == self.largest) | (self.num_values == 0)

    @property
    def is_sparse(self) -> np.ndarray:
        """Whether at least half of the values are zero."""
        return 2 * self.num_nonzero <= self.num_values


def statistics(num_rows: int, places: np.ndarray, values: np.ndarray, size: int) -> Statistics:
    """Return the statistics of the features over the rows of all workers.

    # Parameters

    num_rows : `int`
        The number of rows of this worker.
    places, values : `np.ndarray`
        The entries of its rows that are not zero: the feature of each, and its value, which is NaN
        where it is missing.
    size : `int`
        The number of features.
    """
    is_missing = np.isnan(values)
    missing = np.bincount(places[is_missing], minlength=size)
    places, values = places[~is_missing], values[~is_missing].astype(np.float64)

    def total(weights: np.ndarray) -> np.ndarray:
        return np.bincount(places, weights=weights, minlength=size)

    smallest, largest = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(smallest, places, values)
    np.maximum.at(largest, places, values)
    here = {
        "count": num_rows - missing,
        "num_nonzero": np.bincount(places, minlength=size),
        "sum": total(values),
        "squares": total(values**2),
        "not_one": total(values != 1),
    }
    everywhere = _sum(here)
    count, num_nonzero = everywhere["count"], everywhere["num_nonzero"]
    mean = everywhere["sum"] / np.maximum(count, 1)
    # The second pass: a difference of sums of squares would lose all digits of a small variance.
    zeros = here["count"] - here["num_nonzero"]
    squared = _sum({"": total((values - mean[places]) ** 2) + zeros * mean**2})[""]
    extremes = all_gather_object((smallest, largest))
    smallest = np.min([low for low, _ in extremes], axis=0)
    largest = np.max([high for _, high in extremes], axis=0)
    has_zero = num_nonzero < count
    return Statistics(
        count,
        num_nonzero,
        mean,
        squared / np.maximum(count, 1),
        everywhere["squares"] / np.maximum(num_nonzero, 1),
        everywhere["not_one"] == 0,
        np.where(has_zero, np.minimum(smallest, 0), smallest),
        np.where(has_zero, np.maximum(largest, 0), largest),
    )


def _sum(values: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the sums over all workers."""
    gathered: List[Dict[str, np.ndarray]] = all_gather_object(values)
    return {key: np.sum([each[key] for each in gathered], axis=0) for key in values}


class _Scaled(NamedTuple):
    """Scaled features, and what they were computed of."""

    unchanged: Unchanged
    features: torch.Tensor


class _Plain(NamedTuple):
    """Whether a shift and a scale keep all values, and these two."""

    unchanged: Unchanged
    is_plain: bool


class FeatureScaling(torch.nn.Module):
    """(x − shift) · scale of feature vectors x `(batch, num_features)`, with `fill` for NaN.

    `fit` sets the three from the training data; until then x stays as it is. They are saved with
    the weights.

    # Parameters

    size : `int`
        The number of features.
    """

    shift: torch.Tensor
    scale: torch.Tensor
    fill: torch.Tensor
    is_fitted: torch.Tensor
    _last: Optional[_Scaled] = None
    _plain: Optional[_Plain] = None

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("fill", torch.zeros(size))
        self.register_buffer("is_fitted", torch.tensor(0))  # a number: gloo sends no bool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the scaled features, in which no value is missing."""
        # On a CPU these passes over x take a tenth of a training step, so that the steps on a batch
        # share its features. On other devices a look at the sum would wait for them.
        if x.device.type != "cpu" or x.requires_grad or torch.compiler.is_compiling():
            return (torch.where(x.isnan(), self.fill, x) - self.shift) * self.scale
        sources = (x, self.shift, self.scale, self.fill)
        last = self._last
        if last is None or last.features.is_inference() or not last.unchanged.still(*sources):
            last = self._last = _Scaled(Unchanged(*sources), self._scaled(x))
        return last.features

    def _scaled(self, x: torch.Tensor) -> torch.Tensor:
        is_complete = not bool(x.sum().isnan())
        filled = x if is_complete else torch.where(x.isnan(), self.fill, x)
        if is_complete and self._only_fills() and x.dtype == self.scale.dtype:
            return filled
        return (filled - self.shift) * self.scale

    def _only_fills(self) -> bool:
        """Return whether values that are not missing stay as they are."""
        if self._plain is None or not self._plain.unchanged.still(self.shift, self.scale):
            plain = bool((self.shift == 0).all() and (self.scale == 1).all())
            self._plain = _Plain(Unchanged(self.shift, self.scale), plain)
        return self._plain.is_plain

    def __getstate__(self) -> Any:
        return {**self.__dict__, "_last": None, "_plain": None}

    def fit(self, values: Statistics, standardize: bool) -> None:
        """Set the shift and the scale of each feature, and the mean as what fills a missing value.

        A feature gets mean 0 and variance 1. One that is zero in at least half of the rows keeps
        its zeros, and the others get mean square 1. Zeros and ones stay as they are; a constant is
        only shifted. Without `standardize`, missing values are filled, and no more.
        """
        divisor = np.sqrt(np.where(values.is_sparse, values.mean_square, values.variance))
        plain = values.is_binary | (values.num_values == 0) | (not standardize)
        keeps = plain | values.is_constant | (divisor < _SMALLEST) | (divisor > _LARGEST)
        scale = 1 / np.where(keeps, 1.0, divisor)
        shift = np.where(plain | values.is_sparse, 0.0, values.mean)
        for buffer, value in (("shift", shift), ("scale", scale), ("fill", values.mean)):
            getattr(self, buffer).copy_(torch.from_numpy(value))
        self.is_fitted.fill_(1)

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, *arguments: Any
    ) -> None:
        # The weights of an earlier version were trained on features as they are.
        if not any(f"{prefix}{name}" in state_dict for name in _BUFFERS):
            for name in _BUFFERS:
                state_dict[f"{prefix}{name}"] = getattr(self, name)
            state_dict[f"{prefix}is_fitted"] = torch.tensor(1)
        super()._load_from_state_dict(state_dict, prefix, *arguments)
