"""Decoders, which turn relaxed predictions into outputs, and the evaluation of these."""

from .at_least_one import AtLeastOneDecoder
from .cuts import (
    CutDecoder,
    RelativeAndAbsoluteDecoder,
    RelativeDecoder,
    ThresholdDecoder,
    TopKDecoder,
)
from .decoder import ArgmaxDecoder, Curve, Decoder, Observation, Prediction
from .draws import DrawsDecoder, WeightedDrawsDecoder
from .evaluation import Evaluation
from .expected_f1 import ExpectedF1Decoder, ExpectedF1OfDrawsDecoder
from .grid import GridDecoder
from .minimum_bayes_risk import MinimumBayesRiskDecoder
from .per_label import PerLabelDecoder
from .rerank import RerankDecoder

__all__ = [
    "ArgmaxDecoder",
    "AtLeastOneDecoder",
    "Curve",
    "CutDecoder",
    "Decoder",
    "DrawsDecoder",
    "Evaluation",
    "ExpectedF1Decoder",
    "ExpectedF1OfDrawsDecoder",
    "GridDecoder",
    "MinimumBayesRiskDecoder",
    "Observation",
    "PerLabelDecoder",
    "Prediction",
    "RelativeAndAbsoluteDecoder",
    "RelativeDecoder",
    "RerankDecoder",
    "ThresholdDecoder",
    "TopKDecoder",
    "WeightedDrawsDecoder",
]
