"""Dataset readers."""

from .arff import ArffReader
from .dependencies import DependencyConlluReader
from .digits_completion import DigitsCompletionReader
from .json_reader import JsonReader
from .multi_label_text import MultiLabelTextReader
from .reader import Reader
from .segmentation import SegmentationReader
from .semantic_roles import Conll2012RoleReader, SemanticRoleReader
from .table import TableReader
from .tabular_reader import TabularReader
from .tagging import TaggingConllReader, TaggingReader

__all__ = [
    "ArffReader",
    "DependencyConlluReader",
    "DigitsCompletionReader",
    "JsonReader",
    "MultiLabelTextReader",
    "Reader",
    "SegmentationReader",
    "Conll2012RoleReader",
    "SemanticRoleReader",
    "TableReader",
    "TabularReader",
    "TaggingConllReader",
    "TaggingReader",
]
