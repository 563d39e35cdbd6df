"""Structured Energy: structured prediction with energy networks, on AllenNLP."""

from . import (
    data,
    losses,
    metrics,
    models,
    oracle_values,
    output_spaces,
    predictors,
    samplers,
    score_networks,
    task_networks,
    training,
)

__all__ = [
    "data",
    "losses",
    "metrics",
    "models",
    "oracle_values",
    "output_spaces",
    "predictors",
    "samplers",
    "score_networks",
    "task_networks",
    "training",
]
