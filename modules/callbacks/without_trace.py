"""For callbacks that ask the model: which models serve, and how to leave no trace in training."""

import random
from contextlib import contextmanager
from typing import Iterator

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer

from ..models import StructuredEnergyModel


def check_model(trainer: GradientDescentTrainer, who: str) -> None:
    """Raises `ConfigurationError` for a model that is not ours."""
    if not isinstance(trainer.model, StructuredEnergyModel):
        raise ConfigurationError(
            f"Expected a model of type 'structured-energy' for the callback {who}, got "
            f"{type(trainer.model).__name__}."
        )


@contextmanager
def leaving_no_trace(model: StructuredEnergyModel) -> Iterator[None]:
    """Inside, the model is in evaluation mode and logs nothing; the generators of random numbers
    are put back after it."""
    training = model.training
    state = random.getstate()
    with torch.random.fork_rng(), model.no_logging():
        model.eval()
        try:
            yield
        finally:
            model.train(training)
            random.setstate(state)


@contextmanager
def averaged_weights(trainer: GradientDescentTrainer) -> Iterator[None]:
    """Inside, the weights are their moving average, by which the validation data are predicted,
    where the trainer has one."""
    average = trainer._moving_average
    if average is not None:
        average.assign_average_value()
    try:
        yield
    finally:
        if average is not None:
            average.restore()
