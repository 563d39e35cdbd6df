"""Structured Energy: structured prediction with energy networks, on AllenNLP."""

if __name__ != "structured_energy":
    # AllenNLP, looking for its own subpackages from the root of a checkout, tries `import modules`.
    raise ImportError(f"This is the package 'structured_energy', got it imported as '{__name__}'.")

from .startup import prepare

prepare()  # before anything imports AllenNLP

from . import (  # noqa: E402
    callbacks,
    commands,
    compatibility,
    data,
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

__all__ = [
    "callbacks",
    "commands",
    "compatibility",
    "data",
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
    "training",
    "untrusted",
]
