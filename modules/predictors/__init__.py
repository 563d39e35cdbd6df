"""Predictors."""

from .segmentation import SegmentationPredictor
from .structured_energy import StructuredEnergyPredictor

__all__ = ["SegmentationPredictor", "StructuredEnergyPredictor"]
