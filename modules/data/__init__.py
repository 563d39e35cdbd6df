"""Data: readers, the registry of published data sets, the tensor data loader."""

from ..vocabulary import names
from .augmentations import Augmentation, RandomCrop, RandomFlip
from .fields import ImageField, RowField, Schema
from .readers import (
    ArffReader,
    Conll2012RoleReader,
    DependencyConlluReader,
    DigitsCompletionReader,
    JsonReader,
    MultiLabelTextReader,
    Reader,
    SegmentationReader,
    SemanticRoleReader,
    TableReader,
    TabularReader,
    TaggingConllReader,
    TaggingReader,
)
from .registry import resolve
from .tables import write_table
from .tag_fields import ArcField
from .tensor_loader import TensorDataLoader
from .texts import TextsField

__all__ = [
    "ArcField",
    "ArffReader",
    "Augmentation",
    "DependencyConlluReader",
    "DigitsCompletionReader",
    "ImageField",
    "JsonReader",
    "MultiLabelTextReader",
    "RandomCrop",
    "RandomFlip",
    "Reader",
    "RowField",
    "Schema",
    "SegmentationReader",
    "Conll2012RoleReader",
    "SemanticRoleReader",
    "TableReader",
    "TabularReader",
    "TaggingConllReader",
    "TaggingReader",
    "TensorDataLoader",
    "TextsField",
    "names",
    "resolve",
    "write_table",
]
