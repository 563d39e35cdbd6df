"""Dataset readers."""

from .arff import ArffReader
from .digits_completion import DigitsCompletionReader
from .tabular_reader import TabularReader
from .tagging import SemanticRoleReader, TaggingConllReader, TaggingReader

__all__ = [
    "ArffReader",
    "DigitsCompletionReader",
    "SemanticRoleReader",
    "TabularReader",
    "TaggingConllReader",
    "TaggingReader",
]
