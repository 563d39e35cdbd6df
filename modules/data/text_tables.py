"""The tensors of texts of several lengths, without padding until their batch."""

import math
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
import torch
from allennlp.data.fields import Field

from .transfer import tensor_on

Path = Tuple[str, ...]


class Texts:
    """The tensors of one field of texts; a batch has the padding that AllenNLP gives it.

    # Parameters

    fields : `Sequence[Field]`
        `TextField` or `TextsField`, indexed.
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        rows = [_leaves(field.as_tensor(field.get_padding_lengths())) for field in fields]
        lengths = fields[0].get_padding_lengths()
        longer = _leaves(fields[0].as_tensor({key: size + 1 for key, size in lengths.items()}))
        self._layouts: List[_Layout] = []
        self._leaves = {
            path: self._leaf([row[path].numpy() for row in rows], longer[path]) for path in rows[0]
        }
        self.device = torch.device("cpu")

    def _leaf(self, arrays: List[np.ndarray], longer: torch.Tensor) -> "_Leaf":
        """Return the leaf of one tensor of each instance; leaves of equal shapes share a layout.

        # Parameters

        longer : `torch.Tensor`
            The tensor of the first instance as of a longer text: its last entry is padding.
        """
        shapes = np.array([array.shape for array in arrays]).reshape(len(arrays), longer.dim())
        known = (i for i, each in enumerate(self._layouts) if np.array_equal(each.shapes, shapes))
        layout = next(known, len(self._layouts))
        if layout == len(self._layouts):
            sizes = shapes.prod(1)
            self._layouts.append(_Layout(np.cumsum(sizes) - sizes, shapes))
        padding = longer.flatten()[-1:].numpy() if longer.dim() else arrays[0].reshape(1)
        return _Leaf(np.concatenate([*(array.ravel() for array in arrays), padding]), layout)

    def to(self, device: torch.device) -> None:
        """Set the device of the batches."""
        self.device = device

    def batch(self, rows: np.ndarray) -> Dict[str, Any]:
        """Return the tensors of these instances."""
        result: Dict[str, Any] = {}
        places = [layout.places(rows) for layout in self._layouts]
        for path, leaf in self._leaves.items():
            below = result
            for key in path[:-1]:
                below = below.setdefault(key, {})
            below[path[-1]] = tensor_on(self.device, leaf.values.take(places[leaf.layout]))
        return result


class _Leaf(NamedTuple):
    """One tensor of each instance.

    # Fields

    values : the numbers of all instances one after another, and the padding.
    layout : the number of the layout of the instances.
    """

    values: np.ndarray
    layout: int


class _Layout(NamedTuple):
    """Where the instances stand in a row of numbers whose last one is padding.

    # Fields

    starts : the place of the first number of each instance.
    shapes : the shape of each instance, `(instances, dimensions)`.
    """

    starts: np.ndarray
    shapes: np.ndarray

    def places(self, rows: np.ndarray) -> np.ndarray:
        """Return the places `(len(rows), *widths)` of the numbers of these instances, and −1 in
        their padding."""
        starts, shapes = self.starts[rows], self.shapes[rows]
        widths = shapes.max(0)
        if shapes.shape[1] == 0:
            return starts
        if shapes.shape[1] == 1:
            offsets = np.arange(widths[0])
            return np.where(offsets < shapes, starts[:, None] + offsets, -1)
        result = np.full((len(rows), *widths), -1)
        for start, shape, places in zip(starts, shapes.tolist(), result, strict=True):
            own = np.arange(start, start + math.prod(shape)).reshape(shape)
            places[tuple(slice(size) for size in shape)] = own
        return result


def _leaves(tensors: Dict[str, Any], path: Path = ()) -> Dict[Path, torch.Tensor]:
    """Return the tensors of nested dictionaries by their keys."""
    leaves: Dict[Path, torch.Tensor] = {}
    for key, value in tensors.items():
        if isinstance(value, dict):
            leaves.update(_leaves(value, (*path, key)))
        else:
            leaves[(*path, key)] = value
    return leaves
