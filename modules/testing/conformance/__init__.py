"""Conformance suites: tests that every component of a kind must pass.

A test file names the component and inherits the tests:

    class TestMyLoss(LossConformance):
        config = "{type: 'my-loss', weight: 2}"

A test that does not apply to the component is skipped with the reason. A class that overrides
`cases` runs several configs.
"""

from .decoders import DecoderConformance
from .encoders import EncoderConformance
from .evaluations import EvaluationConformance
from .losses import LossConformance
from .metrics import MetricConformance
from .readers import ReaderConformance
from .samplers import SamplerConformance
from .score_networks import ScoreNetworkConformance
from .spaces import OracleValueConformance, OutputSpaceConformance
from .structured_scores import StructuredScoreConformance

__all__ = [
    "DecoderConformance",
    "EncoderConformance",
    "EvaluationConformance",
    "LossConformance",
    "MetricConformance",
    "OracleValueConformance",
    "OutputSpaceConformance",
    "ReaderConformance",
    "SamplerConformance",
    "ScoreNetworkConformance",
    "StructuredScoreConformance",
]
