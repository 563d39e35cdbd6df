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
        self._leaves: Dict[Path, _Leaf] = {
            path: _Leaf.of([row[path] for row in rows], longer[path]) for path in rows[0]
        }
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        """Set the device of the batches."""
        self.device = device

    def batch(self, rows: np.ndarray) -> Dict[str, Any]:
        """Return the tensors of these instances."""
        result: Dict[str, Any] = {}
        for path, leaf in self._leaves.items():
            below = result
            for key in path[:-1]:
                below = below.setdefault(key, {})
            below[path[-1]] = tensor_on(self.device, leaf.batch(rows))
        return result


class _Leaf(NamedTuple):
    """One tensor of each instance, all of them one after another.

    # Fields

    values : the numbers of all instances in a row.
    starts : the place of the first number of each instance.
    shapes : the shape of each instance, `(instances, dimensions)`.
    padding : the value of padded entries.
    """

    values: np.ndarray
    starts: np.ndarray
    shapes: np.ndarray
    padding: Any

    @staticmethod
    def of(tensors: List[torch.Tensor], longer: torch.Tensor) -> "_Leaf":
        arrays = [tensor.numpy() for tensor in tensors]
        shapes = np.array([array.shape for array in arrays]).reshape(len(arrays), longer.dim())
        sizes = shapes.prod(1)
        values = np.concatenate([array.ravel() for array in arrays])
        # The last entry of a tensor that is longer than its text is padding.
        padding = longer.flatten()[-1].item() if longer.dim() else values.dtype.type(0)
        return _Leaf(values, np.cumsum(sizes) - sizes, shapes, padding)

    def batch(self, rows: np.ndarray) -> np.ndarray:
        shapes = self.shapes[rows]
        widths = shapes.max(0)
        if shapes.shape[1] != 1:
            return self._filled(rows, widths)
        offsets = np.arange(widths[0])
        real = offsets < shapes
        places = np.where(real, self.starts[rows][:, None] + offsets, 0)
        return np.where(real, self.values[places], self.values.dtype.type(self.padding))

    def _filled(self, rows: np.ndarray, widths: np.ndarray) -> np.ndarray:
        result = np.full((len(rows), *widths), self.padding, self.values.dtype)
        for place, row in enumerate(rows):
            shape = self.shapes[row].tolist()
            values = self.values[self.starts[row] : self.starts[row] + math.prod(shape)]
            own = result[place][tuple(slice(size) for size in shape)]
            own[...] = values.reshape(shape)
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
