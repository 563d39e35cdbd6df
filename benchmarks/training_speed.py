"""Times training and evaluation beside a hand-written PyTorch loop of the same math.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.training_speed [--repeats 5]

With `--batches 10 --repeats 30`, the sides take turns every ten batches, and only training is
timed: the ratios then depend less on other work of the machine.

Both sides run in this process, on one core, in turns. The table gives the instances per second and
the seconds of the processor of a pass over the data, medians of the repeats, and how many times as
fast as the loop the framework is: the median of the ratios of the turns, and their range.
The loops are in `loops.py` and `image_loops.py`. `reading` and `start` have no loop beside them.
"""

import argparse
import copy
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Type

import torch
from allennlp.common import Params
from allennlp.common.params import with_overrides
from allennlp.data import DatasetReader
from rich.console import Console
from rich.table import Column, Table

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import (
    ROOT,
    Compared,
    built,
    clock_seconds,
    config_of,
    cpu_seconds,
    on_one_core,
)
from benchmarks.image_loops import ImageLoop, ImageValueLoop
from benchmarks.loops import InferenceNetworkLoop, Loop, NoiseContrastiveLoop, ValueLoop
from structured_energy.compatibility import say_errors_in_one_sentence

# An epoch is a pass over the data, without pictures.
ONE_PASS = {"data_loader.batches_per_epoch": None, "trainer.callbacks": []}
# As in the published code of Lee et al. 2022: 12 steps of the score network and one of the task
# network on each batch of 32, 20 draws, the gradients of 5 batches for a step.
AS_PUBLISHED = {
    "data_loader.batch_size": 32,
    "model.sampler.num_samples": 20,
    "trainer.steps": {"score_network": 12, "task_network": 1},
    "trainer.num_gradient_accumulation_steps": 5,
}
# The loop beside each config, and what of the config is set for the comparison.
CONFIGS: Dict[str, Tuple[Type[Loop], Dict[str, Any]]] = {
    "bibtex/cross_entropy": (Loop, {}),
    "bibtex/inference_network": (InferenceNetworkLoop, {}),
    "bibtex/seal_dynamic_nce": (NoiseContrastiveLoop, AS_PUBLISHED),
    "bibtex/dvn": (ValueLoop, {}),
    "delicious/cross_entropy": (Loop, {}),  # 983 labels
    "delicious/inference_network": (InferenceNetworkLoop, {}),
    "delicious/dvn": (ValueLoop, {}),
    "weizmann_horses/cross_entropy": (ImageLoop, ONE_PASS),
    "weizmann_horses/seal_dynamic_dvn": (ImageValueLoop, ONE_PASS),
}


def timed_config(name: str, epochs: int, overrides: Dict[str, Any]) -> Dict[str, Any]:
    """The shipped config, without early stopping and the evaluation on test data."""
    config = with_overrides(config_of(*name.split("/")), overrides)
    config["trainer"].update(num_epochs=epochs, patience=None, run_confidence_checks=False)
    config["evaluate_on_test"] = False
    return config


def compare(
    name: str, repeats: int, num_batches: Optional[int] = None
) -> Tuple[int, Compared, Compared]:
    """The number of instances, and the seconds of an epoch of training and of one evaluation. An
    epoch is a pass over the data, or so many batches; then nothing is evaluated."""
    loop_class, overrides = CONFIGS[name]
    config = timed_config(name, repeats + 1, overrides)
    with tempfile.TemporaryDirectory() as folder:
        run = built(config, folder)
        trainer, model = run.trainer, run.model
        evaluation = copy.copy(trainer.data_loader)
        evaluation.batch_size = config["validation_data_loader"]["batch_size"]
        evaluation.shuffle, evaluation.augmentations = False, []
        trainer._validation_data_loader = evaluation
        loop = loop_class(model, evaluation, config)
        if num_batches is not None:
            trainer.data_loader.batches_per_epoch = loop.num_batches = num_batches
        training, evaluating = Compared([], []), Compared([], [])
        for repeat in range(repeats + 1):
            actions: List[Callable[[], object]] = [
                lambda repeat=repeat: trainer._train_epoch(repeat),
                loop.train_epoch,
            ]
            if num_batches is None:
                actions += [lambda repeat=repeat: _validate(trainer, repeat), loop.evaluate]
            seconds = [cpu_seconds(action) for action in actions]
            if repeat:  # the first one warms up
                for row, value in zip((*training, *evaluating), seconds, strict=False):
                    row.append(value)
    count = len(loop.x) if num_batches is None else num_batches * loop.batch_size
    return count, training, evaluating


def _validate(trainer, epoch: int) -> None:
    with torch.no_grad():
        trainer._validation_loss(epoch)
        trainer.model.get_metrics(reset=True)


def reading() -> float:
    """Seconds to read bibtex, training and test data, into instances."""
    reader = DatasetReader.from_params(Params({"type": "arff"}))
    return clock_seconds(
        lambda: [list(reader.read(f"data://bibtex/{split}")) for split in ("train", "test")]
    )


def first_batch(log: str) -> float:
    """When the first batch was read, in seconds since 1970, by the `out.log` of a run."""
    found = re.search(r"^(\S+ \S+),(\d+) - .*gradient_descent_trainer - Training$", log, re.M)
    if found is None:
        raise ValueError(f"expected a line of the trainer, 'Training', got the log\n{log[-2000:]}")
    moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S")
    return moment.timestamp() + int(found[2]) / 1000


def start_up() -> Dict[str, float]:
    """Seconds from the command to the first batch, and of the imports among them."""
    config = ROOT / "training_configs/multi_label/bibtex/cross_entropy.jsonnet"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "allennlp", "train", str(config), "-s", folder, "--force"]
        command += ["--overrides", '{"trainer.num_epochs": 1, "evaluate_on_test": false}']
        begin = time.time()
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        first = first_batch((Path(folder) / "out.log").read_text()) - begin
    imports = clock_seconds(
        lambda: subprocess.run(
            [sys.executable, "-c", "import allennlp.commands, structured_energy"],
            check=True,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
    )
    return {"command to first batch": first, "of it the imports of AllenNLP and this": imports}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--configs", nargs="+", choices=list(CONFIGS), default=list(CONFIGS))
    parser.add_argument("--batches", type=int, help="of a turn; a pass over the data by default")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    on_one_core()
    console = Console()
    table = Table(
        Column("config", overflow="fold"),
        "what",
        "instances/s",
        "framework, s",
        "loop, s",
        "ratio",
        "range",
    )
    for name in arguments.configs:
        count, *sides = compare(name, repeats, arguments.batches)
        for what, compared in zip(("training", "evaluation"), sides, strict=True):
            if not compared.ours:
                continue
            speed = count / statistics.median(compared.ours)
            table.add_row(name, what, f"{speed:,.0f}", *compared.cells())
    console.print(table)
    if arguments.batches is not None:
        return
    console.print(f"reading bibtex: {statistics.median(reading() for _ in range(repeats)):.2f} s")
    for what, seconds in start_up().items():
        console.print(f"{what}: {seconds:.2f} s")


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
