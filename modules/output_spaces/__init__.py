"""Output spaces: the only place for the differences between tasks."""

from .binary import BinaryOutputSpace
from .categorical import CategoricalOutputSpace
from .dependency_tree import DependencyTreeOutputSpace
from .hierarchical import HierarchicalOutputSpace
from .output_space import OutputSpace

__all__ = [
    "BinaryOutputSpace",
    "CategoricalOutputSpace",
    "DependencyTreeOutputSpace",
    "HierarchicalOutputSpace",
    "OutputSpace",
]
