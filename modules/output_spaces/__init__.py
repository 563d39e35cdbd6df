"""What an output is: the one place for task differences."""

from .binary import BinaryOutputSpace
from .categorical import CategoricalOutputSpace
from .output_space import OutputSpace

__all__ = ["BinaryOutputSpace", "CategoricalOutputSpace", "OutputSpace"]
