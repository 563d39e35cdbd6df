"""Training and prediction from Python."""

from .estimator import EnergyClassifier
from .trained_model import TrainedModel, load
from .training import train

__all__ = ["EnergyClassifier", "TrainedModel", "load", "train"]
