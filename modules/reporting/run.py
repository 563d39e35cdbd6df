"""The model of a run, and its plots."""

from pathlib import Path
from typing import Any, Dict, Iterable, List

from allennlp.common import Params
from allennlp.models import Model

from ..models import StructuredEnergyModel
from ..vocabulary import names
from .curves import draw_curves
from .diagnosis import diagnose
from .history import read_history
from .plots import draw_all
from .style import save


def load_model(folder: Path) -> StructuredEnergyModel:
    """The model of a run, finished or not, with the best weights so far, in evaluation mode.

    # Raises

    `ValueError` where there are no weights yet, or the model is not ours.
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


def write_plots(
    folder: Path, model: StructuredEnergyModel, batches: Iterable[Dict[str, Any]]
) -> List[Path]:
    """Writes the plots of a run, and of what its model makes of the batches, to its folder `plots`,
    and gives their files.

    # Raises

    `ValueError` for what is no run, or has no epoch yet.
    """
    figures = {"curves": draw_curves(read_history(folder))}
    figures.update(draw_all(diagnose(model, batches), names(model.vocab, "labels")))
    return [
        path for name, figure in figures.items() for path in save(figure, folder / "plots", name)
    ]
