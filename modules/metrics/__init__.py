"""Task metrics, and the threshold of the decisions that they judge."""

from .accuracy import HammingLoss, SubsetAccuracy
from .average_precision import MeanAveragePrecisionByExample, MeanAveragePrecisionByLabel
from .evaluation import Evaluation
from .f1 import ExampleF1, MacroF1, MicroF1
from .segmentation import IntersectionOverUnionMetric, PixelAccuracy
from .structured_metric import SetMetric, StructuredMetric, Sums, TagMetric, as_structured
from .tagging import RoleF1, SpanF1, TagAccuracy
from .threshold import FixedThreshold, Threshold, TunedThreshold

__all__ = [
    "Evaluation",
    "ExampleF1",
    "FixedThreshold",
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
    "Threshold",
    "TunedThreshold",
    "as_structured",
]
