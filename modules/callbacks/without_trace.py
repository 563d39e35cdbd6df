"""For callbacks that ask the model: what they do leaves no trace in its training."""

import random
from contextlib import contextmanager
from typing import Iterator

import torch
from allennlp.training import GradientDescentTrainer

from ..models import StructuredEnergyModel


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
