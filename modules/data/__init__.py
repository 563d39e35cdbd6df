"""Data: readers, the registry of published data sets, the tensor data loader."""

from ..vocabulary import names
from .fields import RowField, Schema
from .readers import (
    ArffReader,
    DigitsCompletionReader,
    JsonReader,
    SemanticRoleReader,
    TabularReader,
    TaggingConllReader,
    TaggingReader,
)
from .registry import resolve
from .tensor_loader import TensorDataLoader

__all__ = [
    "ArffReader",
    "DigitsCompletionReader",
    "JsonReader",
    "RowField",
    "Schema",
    "SemanticRoleReader",
    "TabularReader",
    "TaggingConllReader",
    "TaggingReader",
    "TensorDataLoader",
    "names",
    "resolve",
]
