"""Predictors."""

from .multi_label import MultiLabelPredictor

__all__ = ["MultiLabelPredictor"]
