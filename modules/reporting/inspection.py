"""The contexts in which a model is inspected."""

import random
from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch

from ..models import StructuredEnergyModel
from ..networks import frozen


@contextmanager
def restoring_generators() -> Iterator[None]:
    """Restore the generators of random numbers of Python, NumPy and torch at the end."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def inspecting(model: StructuredEnergyModel) -> Iterator[torch.device]:
    """Yield the device of a model that predicts without a trace in its training.

    Inside the context the model is in evaluation mode, logs nothing and records no gradients.
    Afterwards every part is in the mode it was in, and the generators of random numbers continue
    as if nothing had been drawn.
    """
    training = [part for part in model.modules() if part.training]
    model.eval()
    try:
        with restoring_generators(), model.no_logging(), frozen(model), torch.no_grad():
            yield next(model.parameters()).device
    finally:
        for part in training:
            part.training = True
