"""How a model is looked at."""

from contextlib import contextmanager
from typing import Iterator

import torch

from ..models import StructuredEnergyModel
from ..networks import frozen


@contextmanager
def observing(model: StructuredEnergyModel) -> Iterator[torch.device]:
    """Inside, the model predicts, logs nothing and takes no gradient; gives its device. After it,
    the model is in the mode that it was in."""
    training = model.training
    model.eval()
    try:
        with model.no_logging(), frozen(model), torch.no_grad():
            yield next(model.parameters()).device
    finally:
        model.train(training)
