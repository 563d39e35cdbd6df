"""The contexts in which a model is inspected."""

import random
from contextlib import contextmanager
from typing import Any, Dict, Iterator, NamedTuple, Optional

import numpy as np
import torch
from allennlp.nn.util import move_to_device

from ..models import StructuredEnergyModel
from ..networks import frozen


class Labelled(NamedTuple):
    """A batch with the labels that the output space of a model knows."""

    x: Any
    labels: torch.Tensor
    mask: Optional[torch.Tensor]


def labelled(
    model: StructuredEnergyModel, batch: Dict[str, Any], device: torch.device, source: str
) -> Labelled:
    """Return a batch on a device; `source` says where it is from.

    # Raises

    `ValueError` for a batch without labels.
    """
    tensors: Dict[str, Any] = move_to_device(batch, device)
    if tensors.get("labels") is None:
        raise ValueError(f"Expected data with labels, got none in {source}.")
    labels, mask = model.output_space.known(tensors["labels"], tensors.get("mask"))
    return Labelled(tensors["x"], labels, mask)


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
