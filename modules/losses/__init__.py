"""Losses of score networks and task networks."""

from .combination import CombinationLoss
from .cross_entropy import CrossEntropyLoss
from .expected_cost import MinimumRiskLoss, PolicyGradientLoss
from .inference import InferenceLoss
from .loss import Loss
from .margin_based import MarginBasedLoss
from .negative import NegativeLoss
from .noise_contrastive import (
    BinaryNoiseContrastiveLoss,
    NoiseContrastiveLoss,
    RankingNoiseContrastiveLoss,
)
from .oracle_cost import OracleCostLoss
from .score import ScoreLoss
from .value_regression import ValueLoss, ValueRegressionLoss
from .zero import ZeroLoss

__all__ = [
    "BinaryNoiseContrastiveLoss",
    "CombinationLoss",
    "CrossEntropyLoss",
    "InferenceLoss",
    "Loss",
    "MarginBasedLoss",
    "MinimumRiskLoss",
    "NegativeLoss",
    "NoiseContrastiveLoss",
    "OracleCostLoss",
    "PolicyGradientLoss",
    "RankingNoiseContrastiveLoss",
    "ScoreLoss",
    "ValueLoss",
    "ValueRegressionLoss",
    "ZeroLoss",
]
