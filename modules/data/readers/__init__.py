"""Dataset readers."""

from .arff import ArffReader
from .digits_completion import DigitsCompletionReader
from .tabular_reader import TabularReader

__all__ = ["ArffReader", "DigitsCompletionReader", "TabularReader"]
