"""Oracle values: the quality of an output, given the truth."""

from .hamming import HammingOracleValue
from .iou import IntersectionOverUnion
from .oracle_value import OracleValue
from .per_instance_f1 import PerInstanceF1
from .per_instance_lsef1 import PerInstanceLogSumExpF1

__all__ = [
    "HammingOracleValue",
    "IntersectionOverUnion",
    "OracleValue",
    "PerInstanceF1",
    "PerInstanceLogSumExpF1",
]
