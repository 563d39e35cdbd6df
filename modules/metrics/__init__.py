"""Task metrics, and the threshold of the decisions that they judge."""

from .accuracy import HammingLoss, SubsetAccuracy
from .average_precision import MeanAveragePrecisionByExample, MeanAveragePrecisionByLabel
from .f1 import ExampleF1, MacroF1, MicroF1
from .structured_metric import StructuredMetric, as_structured
from .threshold import FixedThreshold, Threshold, TunedThreshold

__all__ = [
    "ExampleF1",
    "FixedThreshold",
    "HammingLoss",
    "MacroF1",
    "MeanAveragePrecisionByExample",
    "MeanAveragePrecisionByLabel",
    "MicroF1",
    "StructuredMetric",
    "SubsetAccuracy",
    "Threshold",
    "TunedThreshold",
    "as_structured",
]
