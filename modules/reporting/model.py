"""The model of a run."""

from pathlib import Path

from allennlp.common import Params
from allennlp.models import Model

from ..models import StructuredEnergyModel


def load_model(folder: Path) -> StructuredEnergyModel:
    """Return the model of a run, finished or not, with its best weights, in evaluation mode.

    # Raises

    `ValueError` before the first epoch has ended, and for a model of another package.
    """
    if not (folder / "best.th").exists():
        raise ValueError(
            f"Expected the weights of the best epoch, best.th, in '{folder}', got none; wait for "
            "the end of the first epoch."
        )
    model = Model.load(Params.from_file(str(folder / "config.json")), str(folder))
    if not isinstance(model, StructuredEnergyModel):
        raise ValueError(
            f"Expected a run of the model 'structured-energy', got one of {type(model).__name__} "
            f"in '{folder}'."
        )
    return model.eval()
