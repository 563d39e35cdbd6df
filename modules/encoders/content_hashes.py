"""Hashes of the content of instances, which padding does not change."""

import functools
import operator
from typing import Any, List, Tuple

import numpy as np
import torch

from ..encoded import at_least_single


def instance_hashes(x: Any) -> np.ndarray:
    """Return two hashes `(batch, 2)` of 64 bits of the content of each instance of an input, which
    is a tensor or the tensors of texts; padding does not change them."""
    return hashes_of(tensors_of(x))


def hashes_of(tensors: List[torch.Tensor]) -> np.ndarray:
    """Return two hashes `(batch, 2)` of 64 bits of each row of the tensors."""
    arrays = [at_least_single(tensor).cpu().numpy() for tensor in tensors]  # NumPy has no bfloat16
    hashes = [content_hash(array, number) for number, array in enumerate(arrays)]
    return functools.reduce(operator.add, hashes)


def tensors_of(x: Any) -> List[torch.Tensor]:
    """Return the tensors of an input in the order of their keys, with zeros in the padding."""
    if isinstance(x, torch.Tensor):
        return [x]
    masks = [x[key] for key in ("mask", "wordpiece_mask") if isinstance(x.get(key), torch.Tensor)]
    padding = [~mask.bool() for mask in masks]
    tensors: List[torch.Tensor] = []
    for key in sorted(x):
        value = x[key]
        if isinstance(value, torch.Tensor):
            places = next((each for each in padding if each.shape[:2] == value.shape[:2]), None)
            if places is not None and all(value is not mask for mask in masks):
                # The identifier of the padding need not be 0.
                value = value.masked_fill(places.view(*places.shape, *[1] * (value.dim() - 2)), 0)
            tensors.append(value)
        else:
            tensors.extend(tensors_of(value))
    return tensors


def content_hash(values: np.ndarray, number: int = 0) -> np.ndarray:
    """Return two hashes `(batch, 2)` of 64 bits of each row of `values` `(batch, ...)`.

    They are multilinear: Σ_i c_i v_i modulo 2^64, with pseudo-random odd coefficients c_i of the
    place i, so zeros after the content change nothing. Two contents have the same hashes with a
    probability of about 2^−80.

    # Parameters

    values : `np.ndarray`
        Numbers; those of real ones are their bits.
    number : `int`
        The number of the array among those of an input.
    """
    if values.dtype.kind == "f":
        values = np.ascontiguousarray(values + 0.0).view(f"u{values.dtype.itemsize}")
    rows = values.reshape(len(values), -1).astype(np.uint64, copy=False)
    return np.einsum("ip,kp->ik", rows, _coefficients(values.shape[1:], number), order="C")


@functools.lru_cache(maxsize=64)
def _coefficients(shape: Tuple[int, ...], number: int) -> np.ndarray:
    """Return the coefficients `(2, size)` of the places of an array."""
    state = _mixed(np.array([2 * number + 1, 2 * number + 2], np.uint64))
    for size in shape:
        place = np.arange(size, dtype=np.uint64)[:, None]
        state = _mixed(state.reshape(-1, 1, 2) ^ _mixed(place)).reshape(-1, 2)
    return np.ascontiguousarray((state | np.uint64(1)).T)


def _mixed(state: np.ndarray) -> np.ndarray:
    """Return pseudo-random numbers for numbers: SplitMix64 (Steele et al. 2014)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
