"""Quality and speed of inference by the task network and by gradient descent on the output.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.inference_speed RUN [RUN ...]

RUN is the folder of a run with a score network; without a task network, what needs one is left out.
Each inference predicts the test data, with the decoder fitted for it on the validation data; the
milliseconds an example are the median of the repeats, on one core, in batches of 128. `recomputed`
computes the features of x at every step, as inference without the framework's reuse would.
"""

import argparse
import contextlib
import functools
import types
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import torch
from allennlp.common import Params
from allennlp.data import DataLoader
from allennlp.models.archival import Archive, load_archive
from rich.console import Console
from rich.table import Table

from benchmarks.common import descent, inference_of, on_one_core, predictions_in
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.encoded import Encoded, Encoding, single
from structured_energy.networks import Network


def inferences(rate: float, task_network: bool) -> List[Tuple[str, Any, bool]]:
    """The name and the config of each inference, and whether the features are recomputed."""
    make = functools.partial(descent, rate=rate, pick="last")
    rows: List[Tuple[str, Any, bool]] = [("task network", {"type": "inference-network"}, False)]
    for steps in (5, 20, 60):
        rows.append((f"gradient, {steps} steps", make(steps), False))
    for steps in (5, 20, 60):
        started = make(steps, start="inference-network")
        rows.append((f"gradient, {steps} steps, task-network start", started, False))
    rows.append(("gradient, 60 steps, recomputed", make(60), True))
    return [row for row in rows if task_network or "network" not in row[0]]


@contextlib.contextmanager
def recomputing(network: Network) -> Iterator[None]:
    """Inside, the network computes the features of x at every call."""

    def encoding(self: Network, x: Any, mask: Any) -> Encoding:
        return single(self.encode(Encoded.input(x), mask))

    network.encoding = types.MethodType(encoding, network)
    try:
        yield
    finally:
        del network.encoding


def loader(archive: Archive, key: str) -> DataLoader:
    """The batches of one of the run's data sets."""
    made = DataLoader.from_params(
        Params({"type": "tensor", "batch_size": 128}),
        reader=archive.dataset_reader,
        data_path=archive.config[key],
    )
    made.index_with(archive.model.vocab)
    return made


def measure(
    model: torch.nn.Module, validation: DataLoader, test: List[Dict[str, Any]], repeats: int
) -> Tuple[float, float]:
    """The test F1 of the model's inference, in percent, and its milliseconds an example."""
    with torch.no_grad(), model.fitting():
        for batch in validation:
            model(**batch)
    model.get_metrics(reset=True)
    with torch.no_grad():
        for batch in test:
            model(**batch)
    f1 = 100 * model.get_metrics(reset=True)["example_f1"]
    _, seconds = predictions_in(model, model.inference, test, repeats)
    return f1, 1000 * seconds / sum(len(batch["x"]) for batch in test)


def main() -> None:
    """Prints a table for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1.0, help="the step size in logits")
    arguments = parser.parse_args()
    on_one_core()
    for run in arguments.runs:
        torch.manual_seed(0)
        archive = load_archive(run / "model.tar.gz")
        model = archive.model.eval()
        validation = loader(archive, "validation_data_path")
        test = list(loader(archive, "test_data_path"))
        table = Table("inference", "test F1", "ms/example", "times as long", title=str(run))
        first = None
        for name, config, recomputed in inferences(arguments.rate, model.task_network is not None):
            model.inference = inference_of(config, model)
            network = model.score_network
            with recomputing(network) if recomputed else contextlib.nullcontext():
                f1, duration = measure(model, validation, test, arguments.repeats)
            first = first or duration
            table.add_row(name, f"{f1:.2f}", f"{duration:.3f}", f"{duration / first:.1f}")
        Console().print(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
