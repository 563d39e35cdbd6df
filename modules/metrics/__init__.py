"""Task metrics, and the threshold of the decisions that they judge."""

from .accuracy import HammingLoss, SubsetAccuracy
from .average_precision import (
    MeanAveragePrecisionByExample,
    MeanAveragePrecisionByLabel,
    MicroAveragePrecision,
)
from .by_label import LabelF1, LabelPrecision, LabelRecall
from .evaluation import Evaluation
from .f1 import ExampleF1, MacroF1, MicroF1
from .ranking import NormalizedGainAtK, PrecisionAtK, RankingMetric
from .relaxed_f1 import RelaxedF1
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
    "LabelF1",
    "LabelPrecision",
    "LabelRecall",
    "MacroF1",
    "MeanAveragePrecisionByExample",
    "MeanAveragePrecisionByLabel",
    "MicroAveragePrecision",
    "MicroF1",
    "NormalizedGainAtK",
    "PixelAccuracy",
    "PrecisionAtK",
    "RankingMetric",
    "RelaxedF1",
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
