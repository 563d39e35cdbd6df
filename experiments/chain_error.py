"""How far approximate inference is from Viterbi's algorithm, on trained linear chains.

    python -m experiments.chain_error RUN [RUN ...]

RUN is the folder of a run on sequences of tags whose score network is a linear chain, such as `crf`
or `inference_network`; without a task network, what needs one is left out. On the test data: the
share of right tags; the score that is missing to the best output, in the mean over sentences, and
how often the best itself is found; sentences a second on one core, the encoding of x included, in
batches of 32, median of the repeats. What an inference gives is rounded.
"""

import argparse
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import torch
from allennlp.models.archival import load_archive
from rich.console import Console
from rich.table import Table

from benchmarks.common import descent, inference_of, on_one_core, predictions_in, test_batches
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.networks import frozen
from structured_energy.samplers import Sampler

ROWS: Dict[str, Dict[str, Any]] = {
    "Viterbi": {"type": "exact"},
    "task network": {"type": "inference-network"},
    **{f"gradient, {steps} steps": descent(steps) for steps in (5, 20, 60)},
    **{
        f"gradient, {steps} steps, task-network start": descent(steps, start="inference-network")
        for steps in (5, 20, 60)
    },
    "gibbs-with-gradients, 60 steps": {"type": "gibbs-with-gradients", "num_steps": 60},
}


class Figures(NamedTuple):
    """Of one inference on all batches."""

    accuracy: float
    missing: float
    found: float
    sentences_a_second: float


def measure(model: Any, sampler: Sampler, batches: List[Dict[str, Any]], repeats: int) -> Figures:
    """The figures of a sampler."""
    outputs, seconds = predictions_in(model, sampler, batches, repeats)
    exact = inference_of({"type": "exact"}, model)
    right, missing = [], []
    with torch.no_grad(), frozen(model):
        for batch, y in zip(batches, outputs, strict=True):
            x, mask = batch["x"], batch["mask"]
            rounded = model.output_space.nearest_corner(y)
            best = model.score_network(x, exact.sample(x, None, mask).y, mask)
            missing.append((best - model.score_network(x, rounded, mask))[:, 0])
            right.append((rounded[:, 0].argmax(-1) == batch["labels"])[mask])
    lacks = torch.cat(missing)
    return Figures(
        accuracy=float(torch.cat(right).float().mean()),
        missing=float(lacks.mean()),
        found=float((lacks <= 1e-3).float().mean()),
        sentences_a_second=len(lacks) / seconds,
    )


def figures_of(run: Path, repeats: int) -> Dict[str, Figures]:
    """The figures of every inference that the run can make."""
    torch.manual_seed(0)
    archive = load_archive(run / "model.tar.gz")
    model = archive.model.eval()
    batches = test_batches(archive)
    figures = {}
    for name, config in ROWS.items():
        if model.task_network is None and "network" in str(config):
            continue
        sampler = inference_of(config, model)
        figures[name] = measure(model, sampler, batches, repeats)
    return figures


def main() -> None:
    """Prints a table for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    on_one_core()
    for run in arguments.runs:
        header = ("inference", "right tags, %", "missing score", "best found, %", "sentences/s")
        table = Table(*header, title=str(run))
        for name, figures in figures_of(run, arguments.repeats).items():
            table.add_row(
                name,
                f"{100 * figures.accuracy:.2f}",
                f"{figures.missing:.3f}",
                f"{100 * figures.found:.1f}",
                f"{figures.sentences_a_second:,.0f}",
            )
        Console().print(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
