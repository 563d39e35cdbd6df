"""Structured Energy: structured prediction with energy networks, on AllenNLP."""

from importlib.metadata import version

if __name__ != "structured_energy":
    # AllenNLP, looking for its own subpackages from the root of a checkout, tries `import modules`.
    raise ImportError(f"This is the package 'structured_energy', got it imported as '{__name__}'.")

from . import (
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
    "__version__",
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

__version__ = version("structured-energy")
