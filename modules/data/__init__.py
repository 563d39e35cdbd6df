"""Data: readers, the registry of published data sets, the tensor data loader."""

from .fields import RowField, Schema
from .readers import ArffReader, DigitsCompletionReader, TabularReader
from .registry import resolve
from .tensor_loader import TensorDataLoader
from .vocabulary import names

__all__ = [
    "ArffReader",
    "DigitsCompletionReader",
    "RowField",
    "Schema",
    "TabularReader",
    "TensorDataLoader",
    "names",
    "resolve",
]
