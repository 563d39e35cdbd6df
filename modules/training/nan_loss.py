"""A training loss that is no number."""

from ..models import StructuredEnergyModel
from ..samplers import NanScoreError


class NanLoss(ValueError):
    """The training loss became NaN."""


def is_nan(error: ValueError) -> bool:
    """Return whether AllenNLP's trainer, or a sampler, stopped at NaN."""
    return isinstance(error, NanScoreError) or str(error) == "nan loss encountered"


def explained(model: StructuredEnergyModel, epoch: int, batches: int, error: ValueError) -> NanLoss:
    """Return the error that says where the loss became NaN, after `batches` whole batches."""
    where = model.first_nonfinite()
    source = (
        f"it arose first in '{where}'"
        if where
        else str(error).partition(";")[0]
        if isinstance(error, NanScoreError)
        else "nothing in the tree is, so look at the regularizer"
    )
    return NanLoss(
        f"The training loss became NaN in epoch {epoch}, batch {batches + 1}: {source}. The best "
        "weights so far are kept in the serialization directory; lower the learning rate or set "
        "grad_norm."
    )
