"""Predictors."""

from .conllu import ConlluPredictor
from .segmentation import SegmentationPredictor
from .structured_energy import StructuredEnergyPredictor

__all__ = ["ConlluPredictor", "SegmentationPredictor", "StructuredEnergyPredictor"]
