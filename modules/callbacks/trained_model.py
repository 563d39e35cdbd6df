"""The model of a trainer, for callbacks that inspect it."""

from contextlib import contextmanager
from typing import Iterator

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer

from ..models import StructuredEnergyModel


def check_model(trainer: GradientDescentTrainer, callback: str) -> None:
    """Raise `ConfigurationError` where the trainer has a model of another package."""
    if not isinstance(trainer.model, StructuredEnergyModel):
        raise ConfigurationError(
            f"Expected a model of type 'structured-energy' for the callback {callback}, got "
            f"{type(trainer.model).__name__}."
        )


@contextmanager
def averaged_weights(trainer: GradientDescentTrainer) -> Iterator[None]:
    """Give the model the moving average of its weights inside the context, as in validation.

    A trainer without a moving average keeps its weights.
    """
    average = trainer._moving_average
    if average is not None:
        average.assign_average_value()
    try:
        yield
    finally:
        if average is not None:
            average.restore()
