"""Structured Energy: structured prediction with energy networks, on AllenNLP."""

from importlib.metadata import version
from typing import Any

if __name__ != "structured_energy":
    # AllenNLP, looking for its own subpackages from the root of a checkout, tries `import modules`.
    raise ImportError(f"This is the package 'structured_energy', got it imported as '{__name__}'.")

from .startup import prepare

prepare()  # before anything imports AllenNLP

from . import (
    callbacks,
    commands,
    compatibility,
    configs,
    data,
    decoders,
    encoders,
    evaluations,
    losses,
    metrics,
    models,
    oracle_values,
    output_spaces,
    predictors,
    reporting,
    samplers,
    score_networks,
    task_networks,
    training,
    untrusted,
)
from .data.readers.reader import Reader
from .decoders import Decoder, Prediction
from .encoders import Encoder
from .evaluations import EvaluationModule
from .logged_values import (
    LoggedArray,
    LoggedExtremum,
    LoggedLatest,
    LoggedMean,
    LoggedValue,
)
from .logging import LoggingMixin
from .losses import Loss
from .metrics import StructuredMetric
from .models import StructuredEnergyModel
from .oracle_values import OracleValue
from .output_spaces import OutputSpace
from .sampler_output import SamplerOutput
from .samplers import Sampler
from .score_networks import ScoreNetwork, StructuredScore
from .task_networks import TaskNetwork

# What Python programs use; imported at its first use, since it imports scikit-learn.
_API = ("EnergyClassifier", "TrainedModel", "load", "train")


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"The package '{__name__}' has no attribute '{name}'.")
    from . import api

    return getattr(api, name)


__all__ = [
    "__version__",
    "Decoder",
    "Encoder",
    "EnergyClassifier",
    "EvaluationModule",
    "LoggedArray",
    "LoggedExtremum",
    "LoggedLatest",
    "LoggedMean",
    "LoggedValue",
    "LoggingMixin",
    "Loss",
    "OracleValue",
    "OutputSpace",
    "Prediction",
    "Reader",
    "Sampler",
    "SamplerOutput",
    "ScoreNetwork",
    "StructuredEnergyModel",
    "StructuredMetric",
    "StructuredScore",
    "TaskNetwork",
    "TrainedModel",
    "callbacks",
    "commands",
    "compatibility",
    "configs",
    "data",
    "decoders",
    "encoders",
    "evaluations",
    "load",
    "losses",
    "metrics",
    "models",
    "oracle_values",
    "output_spaces",
    "predictors",
    "reporting",
    "samplers",
    "score_networks",
    "task_networks",
    "train",
    "training",
    "untrusted",
]

__version__ = version("structured-energy")
