"""The model of a run, and the data that it is looked at on."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader
from allennlp.models import Model

from ..models import StructuredEnergyModel
from ..vocabulary import names
from .curves import draw_curves
from .diagnosis import diagnose
from .history import read_history
from .plots import draw_all
from .style import save

# What makes an epoch of training, and has no place where each instance is looked at once.
OF_TRAINING = (
    "shuffle",
    "augmentations",
    "batches_per_epoch",
    "drop_last",
    "max_instances_in_memory",
)


def load_model(folder: Path) -> StructuredEnergyModel:
    """The model of a run, finished or not, with the best weights so far.

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
    return model


def load_data(folder: Path, model: Model, path: Optional[str] = None) -> DataLoader:
    """The data of a run in the order of its files, by default those of the validation.

    # Raises

    `ValueError` where the run has no validation data, and no path is given.
    """
    params = Params.from_file(str(folder / "config.json"))
    path = path or params.get("validation_data_path")
    if path is None:
        raise ValueError(
            "Expected a run with validation data, got one without 'validation_data_path'; name "
            "the data to look at."
        )
    reader = params.get("validation_dataset_reader") or params.get("dataset_reader")
    loader = params.get("validation_data_loader") or params.get("data_loader")
    for key in OF_TRAINING:
        loader.pop(key, None)
    data = DataLoader.from_params(
        loader, reader=DatasetReader.from_params(reader), data_path=str(path)
    )
    data.index_with(model.vocab)
    return data


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
