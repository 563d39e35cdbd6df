"""Readers that a config names without parameters, and `find-lr` for the trainer `minimax`."""

import functools
from types import SimpleNamespace
from typing import Any

from allennlp.commands import find_learning_rate
from allennlp.common import Params
from allennlp.models import archival
from allennlp.training import Trainer

_find_learning_rate_model = find_learning_rate.find_learning_rate_model
_load_dataset_readers = archival._load_dataset_readers


@functools.wraps(_load_dataset_readers)
def load_dataset_readers(config: Params, serialization_dir: Any) -> Any:
    """Load the readers of an archive, also those given as a name: `"dataset_reader": "arff"`."""
    for key in ("dataset_reader", "validation_dataset_reader"):
        if isinstance(config.params.get(key), str):
            config[key] = {"type": config.params[key]}
    return _load_dataset_readers(config, serialization_dir)


@functools.wraps(_find_learning_rate_model)
def find_learning_rate_model(params: Params, *args: Any, **settings: Any) -> None:
    """Search a learning rate with the trainers `gradient_descent` and `minimax`."""
    if params["trainer"].get("type") != "minimax":
        _find_learning_rate_model(params, *args, **settings)
        return
    params["trainer"]["type"] = (
        "gradient_descent"  # AllenNLP removes this type and builds `Trainer`
    )
    find_learning_rate.Trainer = SimpleNamespace(from_params=_minimax_trainer)
    try:
        _find_learning_rate_model(params, *args, **settings)
    finally:
        find_learning_rate.Trainer = Trainer


def _minimax_trainer(params: Params, **extras: Any) -> Trainer:
    params["type"] = "minimax"
    return Trainer.from_params(params=params, **extras)
