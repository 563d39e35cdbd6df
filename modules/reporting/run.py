"""The model of a run, and the data that it is looked at on."""

from pathlib import Path
from typing import Any, Dict, Optional

from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader
from allennlp.models import Model

from ..models import StructuredEnergyModel

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


def load_data(config: Dict[str, Any], model: Model, path: Optional[str] = None) -> DataLoader:
    """The data of a run in the order of its files, by default those of the validation.

    # Raises

    `ValueError` where the run has no validation data, and no path is given.
    """
    params = Params(config).duplicate()
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
