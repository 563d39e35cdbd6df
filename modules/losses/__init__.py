"""Losses of score networks and task networks."""

from .combination import CombinationLoss
from .cross_entropy import CrossEntropyLoss
from .inference import InferenceLoss
from .loss import Loss
from .margin_based import MarginBasedLoss
from .negative import NegativeLoss
from .score import ScoreLoss
from .zero import ZeroLoss

__all__ = [
    "CombinationLoss",
    "CrossEntropyLoss",
    "InferenceLoss",
    "Loss",
    "MarginBasedLoss",
    "NegativeLoss",
    "ScoreLoss",
    "ZeroLoss",
]
