"""Dataset readers."""

from .arff import ArffReader
from .digits_completion import DigitsCompletionReader
from .json_reader import JsonReader
from .segmentation import SegmentationReader
from .tabular_reader import TabularReader
from .tagging import SemanticRoleReader, TaggingConllReader, TaggingReader

__all__ = [
    "ArffReader",
    "DigitsCompletionReader",
    "JsonReader",
    "SegmentationReader",
    "SemanticRoleReader",
    "TabularReader",
    "TaggingConllReader",
    "TaggingReader",
]
