"""Task metrics."""

from .accuracy import HammingLoss, SubsetAccuracy
from .average_precision import (
    MeanAveragePrecisionByExample,
    MeanAveragePrecisionByLabel,
    MicroAveragePrecision,
)
from .by_label import LabelF1, LabelPrecision, LabelRecall
from .dependencies import (
    AttachmentMetric,
    ContentAttachmentScore,
    LabelledAttachmentScore,
    UnlabelledAttachmentScore,
)
from .f1 import ExampleF1, MacroF1, MicroF1
from .hierarchy import AreaUnderPrecisionRecall, HierarchicalF1, LevelF1, Violations
from .ranking import NormalizedGainAtK, PrecisionAtK, RankingMetric
from .relaxed_f1 import RelaxedF1
from .roles import RepeatedRoles, RoleF1, RolePrecision, RoleRecall
from .segmentation import IntersectionOverUnionMetric, PixelAccuracy
from .set_metric import SetMetric
from .spans import PartMetric, SpanF1, SpanPrecision, SpanRecall
from .structured_metric import StructuredMetric, as_structured, fitting, values_of
from .sums import UNIT, Sums
from .tag_metric import TagMetric
from .tagging import TagAccuracy

__all__ = [
    "UNIT",
    "AreaUnderPrecisionRecall",
    "AttachmentMetric",
    "ContentAttachmentScore",
    "ExampleF1",
    "HammingLoss",
    "HierarchicalF1",
    "IntersectionOverUnionMetric",
    "LabelF1",
    "LabelPrecision",
    "LabelRecall",
    "LabelledAttachmentScore",
    "LevelF1",
    "MacroF1",
    "MeanAveragePrecisionByExample",
    "MeanAveragePrecisionByLabel",
    "MicroAveragePrecision",
    "MicroF1",
    "NormalizedGainAtK",
    "PartMetric",
    "PixelAccuracy",
    "PrecisionAtK",
    "RankingMetric",
    "RelaxedF1",
    "RepeatedRoles",
    "RoleF1",
    "RolePrecision",
    "RoleRecall",
    "SetMetric",
    "SpanF1",
    "SpanPrecision",
    "SpanRecall",
    "StructuredMetric",
    "SubsetAccuracy",
    "Sums",
    "TagAccuracy",
    "TagMetric",
    "UnlabelledAttachmentScore",
    "Violations",
    "as_structured",
    "fitting",
    "values_of",
]
