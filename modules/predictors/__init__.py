"""Predictors."""

from .structured_energy import StructuredEnergyPredictor

__all__ = ["StructuredEnergyPredictor"]
