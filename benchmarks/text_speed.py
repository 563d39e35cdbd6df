"""Times training on texts beside a plain loop of PyTorch and transformers.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.text_speed \
        [--device cuda] [--documents 4000] [--fine-tuned 400] [--repeats 3]

The documents are the first of GoEmotions, the config is the shipped one of `cross_entropy`, and
both sides run in this process, in turns. With the transformer frozen, the first epoch encodes the
documents, and later ones read the encodings, which both sides keep in memory. Then the transformer
is trained with the rest, on fewer documents. The seconds are those of the processor, on a GPU those
of a clock with the work of the device.
"""

import argparse
import copy
import functools
import gc
import logging
import statistics
import tempfile
import warnings
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple
from unittest.mock import patch

import torch
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.data import DatasetReader, Instance
from rich.console import Console
from rich.table import Table

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import (
    Compared,
    built,
    check_device,
    clock_seconds,
    config_of,
    cpu_seconds,
    on_one_core,
)
from benchmarks.text_loops import Documents, TextLoop, read_documents
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.data import resolve
from structured_energy.encoders import FrozenEncoder
from structured_energy.models import StructuredEnergyModel

WARM_UP = 128  # documents


class Measured(NamedTuple):
    """The seconds of each part on both sides, and the bytes of their encodings."""

    reading: Compared
    first: Compared
    later: Compared
    our_bytes: int
    other_bytes: int


def text_config(path: Path, is_frozen: bool, epochs: int, device: torch.device) -> Dict[str, Any]:
    """Return the shipped config on a file of documents, without validation and test data."""
    config = config_of(
        "goemotions", "cross_entropy", hyper_parameters={"frozen": is_frozen, "store": "memory"}
    )
    config["train_data_path"] = str(path)
    config["trainer"].update(num_epochs=epochs, patience=None, run_confidence_checks=False)
    config["trainer"].update(callbacks=[], cuda_device=0 if device.type == "cuda" else -1)
    config["trainer"].pop("learning_rate_scheduler", None)
    config["evaluate_on_test"] = False
    for key in ("validation_data_path", "validation_data_loader", "test_data_path"):
        del config[key]
    return config


def unprepared(config: Dict[str, Any], folder: str) -> TrainModel:
    """Return the training of a config, with its data read, and nothing encoded."""
    with patch.object(StructuredEnergyModel, "prepare"):  # `train_epoch` calls it
        return built(config, folder)


def seconds_of(action: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the processor, or of the clock with the work of a GPU."""
    return clock_seconds(action, device) if device.type == "cuda" else cpu_seconds(action)


def documents_of(config: Dict[str, Any]) -> Documents:
    """Return the documents of a config, as the loop reads them."""
    reader = config["dataset_reader"]
    tokenizer = reader["tokenizer"]
    paths = (config["train_data_path"], reader["labels_file"])
    files = [file for path in paths for file in resolve(path).files()]
    return read_documents(*files, tokenizer["model_name"], tokenizer["max_length"])


def write_documents(folder: str, count: int) -> Path:
    """Write a file of the first documents of the training data."""
    (source,) = resolve("data://goemotions/train").files()
    path = Path(folder) / f"{count}.tsv"
    with open(source, encoding="utf-8", newline="") as lines:
        path.write_text("".join(islice(lines, count)), encoding="utf-8")
    return path


def measure(
    path: Path, is_frozen: bool, device: torch.device, repeats: int, later: int
) -> Measured:
    """Return what the documents of a file take to read, in the first epoch and in later ones; each
    repeat builds both sides anew, so that nothing is encoded at its start."""
    config = text_config(path, is_frozen, later + 1, device)
    reading, first, rest = Compared([], []), Compared([], []), Compared([], [])
    sizes = (0, 0)
    for _ in range(repeats):
        reading.ours.append(cpu_seconds(lambda: read(config)))
        reading.other.append(cpu_seconds(lambda: documents_of(config)))
        epochs, sizes = train(config, is_frozen, device, later + 1)
        for compared, ours, other in zip([first, *[rest] * later], *epochs, strict=True):
            compared.ours.append(ours)
            compared.other.append(other)
        gc.collect()  # the encodings, which equal encoders share
    return Measured(reading, first, rest, *sizes)


def read(config: Dict[str, Any]) -> List[Instance]:
    """Return the documents of a config, as the framework reads them."""
    reader = DatasetReader.from_params(Params(copy.deepcopy(config["dataset_reader"])))
    return list(reader.read(config["train_data_path"]))


def train(
    config: Dict[str, Any], is_frozen: bool, device: torch.device, num_epochs: int
) -> Tuple[Compared, Tuple[int, int]]:
    """Return the seconds of each epoch on both sides, and the bytes of their encodings."""
    with tempfile.TemporaryDirectory() as folder:
        run, documents = unprepared(config, folder), documents_of(config)
        check_tokens(run, documents)
        loop = TextLoop(run.model.task_network, config, documents, is_frozen, device)
        epochs = Compared([], [])
        for epoch in range(num_epochs):
            epochs.ours.append(seconds_of(functools.partial(train_epoch, run, epoch), device))
            epochs.other.append(seconds_of(loop.train_epoch, device))
    if not is_frozen:
        return epochs, (0, 0)
    encoder = next(part for part in run.model.modules() if isinstance(part, FrozenEncoder))
    return epochs, (encoder.num_bytes, loop.encodings().nbytes)


def train_epoch(run: TrainModel, epoch: int) -> None:
    """Train an epoch; before the first one, fit the model to the training data."""
    if epoch == 0:
        run.model.prepare(run.trainer.data_loader)
    run.trainer._train_epoch(epoch)


def check_tokens(run: TrainModel, documents: Documents) -> None:
    """Raise `ValueError` where both sides do not have as many tokens of each document."""
    ours = [len(instance["x"].tokens) for instance in run.trainer.data_loader.iter_instances()]
    if ours != [len(pieces) for pieces in documents.pieces]:
        raise ValueError("Expected the same tokens on both sides, got other documents of the loop.")


def row_of(what: str, documents: int, compared: Compared) -> List[str]:
    """Return the cells of a table: documents per second of both sides, and their ratio."""
    speeds = [f"{documents / statistics.median(side):,.0f}" for side in compared]
    return [what, *speeds, *compared.cells()[2:]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--documents", type=int, default=4_000)
    parser.add_argument("--fine-tuned", type=int, help="documents, by default a tenth of them")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--later", type=int, default=5, help="epochs after the first one")
    arguments = parser.parse_args()
    device, documents = arguments.device, arguments.documents
    fewer = arguments.fine_tuned or max(documents // 10, 1)
    check_device(device)
    if device.type == "cuda":
        warnings.filterwarnings("ignore")
        logging.disable(logging.CRITICAL)
    else:
        on_one_core()
    with tempfile.TemporaryDirectory() as folder:
        small, whole, few = (
            write_documents(folder, count) for count in (min(documents, WARM_UP), documents, fewer)
        )
        for is_frozen in (True, False):
            measure(small, is_frozen, device, repeats=1, later=1)
        frozen = measure(whole, True, device, arguments.repeats, arguments.later)
        trained = measure(few, False, device, arguments.repeats, later=0)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    table = Table("what", "framework", "loop", "ratio", "range", title=f"documents/s, {name}")
    table.add_row(*row_of("reading", documents, frozen.reading))
    table.add_row(*row_of("frozen, first epoch", documents, frozen.first))
    table.add_row(*row_of("frozen, later epochs", documents, frozen.later))
    table.add_row(*row_of("fine-tuned", fewer, trained.first))
    console = Console()
    console.print(table)
    sizes = [f"{size / documents:,.0f}" for size in (frozen.our_bytes, frozen.other_bytes)]
    console.print(f"bytes of the encodings of a document: {sizes[0]}, of the loop {sizes[1]}")


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
