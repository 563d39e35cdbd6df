"""The model."""

from .structured_energy import StructuredEnergyModel

__all__ = ["StructuredEnergyModel"]
