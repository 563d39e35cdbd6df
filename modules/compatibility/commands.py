"""Readers by name alone, and `find-lr` with `minimax`."""

import functools
import types
from typing import Any

from allennlp.commands import find_learning_rate
from allennlp.common import Params
from allennlp.models import archival
from allennlp.training import Trainer


def mend_dataset_reader_by_name() -> None:
    """`"dataset_reader": "arff"` trains, and then failed when the archive was loaded."""
    original = archival._load_dataset_readers

    @functools.wraps(original)
    def load_dataset_readers(config: Params, serialization_dir: Any) -> Any:
        for key in ("dataset_reader", "validation_dataset_reader"):
            if isinstance(config.params.get(key), str):
                config[key] = {"type": config.params[key]}
        return original(config, serialization_dir)

    archival._load_dataset_readers = load_dataset_readers


def mend_find_learning_rate() -> None:
    """`find-lr` refuses every trainer but `gradient_descent` by its name; `minimax` is one."""
    original = find_learning_rate.find_learning_rate_model

    @functools.wraps(original)
    def find_learning_rate_model(params: Params, *args: Any, **settings: Any) -> None:
        if params["trainer"].get("type") != "minimax":
            original(params, *args, **settings)
            return
        params["trainer"]["type"] = "gradient_descent"

        def from_params(params: Params, **extras: Any) -> Trainer:
            params["type"] = "minimax"
            return Trainer.from_params(params=params, **extras)

        find_learning_rate.Trainer = types.SimpleNamespace(from_params=from_params)
        try:
            original(params, *args, **settings)
        finally:
            find_learning_rate.Trainer = Trainer

    find_learning_rate.find_learning_rate_model = find_learning_rate_model
