"""Task metrics."""

from .accuracy import HammingLoss, SubsetAccuracy
from .average_precision import MeanAveragePrecisionByExample, MeanAveragePrecisionByLabel
from .f1 import ExampleF1, MacroF1, MicroF1
from .segmentation import IntersectionOverUnionMetric, PixelAccuracy
from .structured_metric import UNIT, SetMetric, StructuredMetric, Sums, TagMetric, as_structured
from .tagging import RoleF1, SpanF1, TagAccuracy

__all__ = [
    "UNIT",
    "ExampleF1",
    "HammingLoss",
    "IntersectionOverUnionMetric",
    "MacroF1",
    "MeanAveragePrecisionByExample",
    "MeanAveragePrecisionByLabel",
    "MicroF1",
    "PixelAccuracy",
    "RoleF1",
    "SetMetric",
    "SpanF1",
    "StructuredMetric",
    "SubsetAccuracy",
    "Sums",
    "TagAccuracy",
    "TagMetric",
    "as_structured",
]
