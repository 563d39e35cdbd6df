"""Evaluations of the networks beside the task metrics of the predictions."""

from .evaluation_module import EvaluationModule
from .evaluations import Evaluations
from .inference import InferenceEvaluation
from .score_ranking import ScoreRanking

__all__ = ["EvaluationModule", "Evaluations", "InferenceEvaluation", "ScoreRanking"]
