"""The error for a training loss that is NaN."""

from ..models import StructuredEnergyModel
from ..samplers import NanScoreError


class NanLossError(ValueError):
    """The training loss became NaN."""


def nan_loss_error(
    model: StructuredEnergyModel, epoch: int, batch: int, cause: ValueError
) -> NanLossError:
    """Return an error that names the first node of the tree of logged values that is NaN.

    `batch` counts from 1; `cause` is the error of AllenNLP's trainer or of a sampler.
    """
    node = model.first_nonfinite()
    if node:
        source = f"it arose first in '{node}'."
    elif isinstance(cause, NanScoreError):
        source = f"{cause}"
    else:
        source = "every logged value is finite, so look at the regularizer."
    return NanLossError(
        f"The training loss became NaN in epoch {epoch}, batch {batch}: {source} The best weights "
        "so far are kept in the serialization directory; lower the learning rate or set grad_norm."
    )
