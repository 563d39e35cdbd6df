"""A training loss that is no number."""

from ..models import StructuredEnergyModel


class NanLoss(ValueError):
    """The training loss became NaN."""


def explained(model: StructuredEnergyModel, epoch: int, batch: int) -> NanLoss:
    """The error that says where the loss of a batch became NaN."""
    where = model.first_nonfinite()
    source = (
        f"it arose first in '{where}'"
        if where
        else "nothing in the tree is, so look at the regularizer"
    )
    return NanLoss(
        f"The training loss became NaN in epoch {epoch}, batch {batch}: {source}. The best weights "
        "so far are kept in the serialization directory; lower the learning rate or set grad_norm."
    )
