"""Losses of score networks and task networks."""

from .candidate_likelihood import CandidateLikelihoodLoss
from .combination import CombinationLoss
from .contrastive_divergence import ContrastiveDivergenceLoss
from .critical_examples import CriticalExamplesLoss
from .cross_entropy import CrossEntropyLoss
from .exact_likelihood import ExactLikelihoodLoss
from .expected_cost import MinimumRiskLoss, PolicyGradientLoss
from .inference import InferenceLoss
from .label_weights import BalancedWeights
from .loss import Loss
from .margin_based import MarginBasedLoss
from .negative import NegativeLoss
from .noise_contrastive import (
    BinaryNoiseContrastiveLoss,
    NoiseContrastiveLoss,
    RankingNoiseContrastiveLoss,
)
from .oracle_cost import OracleCostLoss
from .pseudo_likelihood import PseudoLikelihoodLoss
from .score import ScoreLoss
from .score_network_loss import ScoreNetworkLoss
from .value_regression import ValueLoss, ValueRegressionLoss
from .weight_schedules import (
    ConstantWeight,
    CosineWeight,
    ExponentialWeight,
    LinearWeight,
    StepwiseWeight,
    WeightSchedule,
    start_epoch,
)
from .zero import ZeroLoss

__all__ = [
    "CandidateLikelihoodLoss",
    "BalancedWeights",
    "BinaryNoiseContrastiveLoss",
    "CombinationLoss",
    "ConstantWeight",
    "ContrastiveDivergenceLoss",
    "CosineWeight",
    "CriticalExamplesLoss",
    "CrossEntropyLoss",
    "ExactLikelihoodLoss",
    "ExponentialWeight",
    "InferenceLoss",
    "LinearWeight",
    "Loss",
    "MarginBasedLoss",
    "MinimumRiskLoss",
    "NegativeLoss",
    "NoiseContrastiveLoss",
    "OracleCostLoss",
    "PolicyGradientLoss",
    "PseudoLikelihoodLoss",
    "RankingNoiseContrastiveLoss",
    "ScoreLoss",
    "ScoreNetworkLoss",
    "StepwiseWeight",
    "ValueLoss",
    "ValueRegressionLoss",
    "WeightSchedule",
    "ZeroLoss",
    "start_epoch",
]
