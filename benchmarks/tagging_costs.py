"""What taggers cost: their parameters, the time of their training, and the speed of their tagging.

    OMP_NUM_THREADS=1 python -m benchmarks.tagging_costs RUN [RUN ...]

RUN is the folder of a run on sequences of tags. `parameters` are all that were trained, `to tag`
those of the networks that the run's own inference asks. The time is that of the run, on the machine
that it was trained on; tokens a second are measured here, over the whole test data in batches of 32
sentences of like length, the median of the repeats.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, List

import torch
from allennlp.models import Model
from allennlp.models.archival import load_archive
from rich.console import Console
from rich.table import Table

from benchmarks.common import on_one_core, predictions_in, test_batches
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.networks import Network
from structured_energy.samplers import Sampler


def size_of(*modules: torch.nn.Module) -> int:
    """The number of parameters, those that modules share counted once."""
    return sum(p.numel() for p in {p for module in modules for p in module.parameters()})


def asked(model: Model) -> List[Network]:
    """The networks that the inference of a model asks; its losses may have others."""
    samplers = [part for part in model.inference.modules() if isinstance(part, Sampler)]
    held = {id(value) for sampler in samplers for value in vars(sampler).values()}
    networks = (model.task_network, model.score_network)
    return [network for network in networks if network is not None and id(network) in held]


def tokens_a_second(model: Model, batches: List[Dict[str, Any]], repeats: int) -> float:
    """The speed of the inference of a model, the encoding of x included."""
    _, seconds = predictions_in(model, model.inference, batches, repeats)
    tokens = sum(int(batch["mask"].sum()) for batch in batches)
    return tokens / seconds


def row_of(run: Path, repeats: int) -> List[str]:
    """The row of a run."""
    archive = load_archive(run / "model.tar.gz")
    model = archive.model.eval()
    metrics = json.loads((run / "metrics.json").read_text())
    speed = tokens_a_second(model, test_batches(archive), repeats)
    return [
        "/".join(run.resolve().parts[-3:-1]),
        f"{size_of(model):,}",
        f"{size_of(*asked(model)):,}",
        metrics["training_duration"].split(".")[0],
        f"{speed:,.0f}",
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    on_one_core()
    table = Table("run", "parameters", "to tag", "training, h:min:s", "tokens/s")
    for run in arguments.runs:
        table.add_row(*row_of(run, arguments.repeats))
    Console().print(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
