"""Callbacks that show and record a training."""

from .console_tree import ConsoleTreeCallback
from .epoch_table import EpochTable
from .pictures import PicturesCallback
from .plots import PlotsCallback
from .tree_callback import Reading, TreeCallback
from .tree_to_csv import TreeToCsvCallback
from .tree_to_tensorboard import TreeToTensorboardCallback
from .tree_to_wandb import TreeToWandbCallback

__all__ = [
    "ConsoleTreeCallback",
    "EpochTable",
    "PicturesCallback",
    "PlotsCallback",
    "Reading",
    "TreeCallback",
    "TreeToCsvCallback",
    "TreeToTensorboardCallback",
    "TreeToWandbCallback",
]
