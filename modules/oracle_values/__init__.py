"""How good an output is, given the truth."""

from .hamming import HammingOracleValue
from .oracle_value import OracleValue
from .per_instance_f1 import PerInstanceF1

__all__ = ["HammingOracleValue", "OracleValue", "PerInstanceF1"]
