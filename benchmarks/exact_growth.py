"""How the time of each exact algorithm grows with the number of tokens.

    OMP_NUM_THREADS=1 python -m benchmarks.exact_growth [--repeats 3 --largest 40]

Sentences and weights are random, since speed depends on sizes; trees have no relations, chains 10
tags, and semi-Markov fields 4 labels with segments of at most 4 tokens. A time is the median of the
repeats, in milliseconds of the processor for one sentence in a batch. It is fitted by tokens^e
between the two largest sizes. Where torch-struct is installed, its algorithm runs in turns with
ours at the same size, and the ratio, the median over the turns, is how many times as fast ours is.
"""

import argparse
import statistics
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

import torch
from allennlp.data import Vocabulary
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.common import ROOT, Compared, cpu_seconds, on_one_core
from benchmarks.growth import Point, exponents
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.dependency_trees import (
    best_heads,
    best_ones,
    draw_projective,
    draw_trees,
    log_partition,
)
from structured_energy.reporting.style import RUNS, in_style, save
from structured_energy.score_networks import Chain, SemiMarkovScore

try:
    import torch_struct
except ImportError:
    torch_struct = None

SIZES = (10, 20, 40, 80)
TAGS, KINDS, LONGEST, COUNT = 10, 3, 4, 10


class Inputs(NamedTuple):
    """The weights of a batch of sentences, for ours and for torch-struct."""

    arcs: torch.Tensor  # (batch, n, n + 1)
    by_head: torch.Tensor  # (batch, n, n)
    tags: Chain
    edges: torch.Tensor  # (batch, n − 1, tag, tag before)
    segments: Chain
    segment_edges: torch.Tensor  # (batch, n, length, label, label before)


class Algorithm(NamedTuple):
    """An algorithm, the exponent of its math in tokens, and that of torch-struct."""

    math: float
    ours: Callable[[Inputs], object]
    theirs: Optional[Callable[[Inputs], object]] = None


def inputs(batch: int, n: int) -> Inputs:
    """Random weights."""
    mask = torch.ones(batch, n, dtype=torch.bool)
    weights = (torch.randn(TAGS, TAGS), torch.randn(TAGS), torch.randn(TAGS))
    kinds = [f"{tag}-{kind}" for tag in "BI" for kind in range(KINDS)]
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    vocab.add_tokens_to_namespace(["O", *kinds], "labels")
    term = SemiMarkovScore(vocab, LONGEST)
    *of_states, constraints = (part for part in term.expanded())
    potentials = torch.randn(batch, n, 1 + len(kinds))[..., term.states.tags]
    labels = KINDS + 1
    return Inputs(
        torch.randn(batch, n, n + 1, requires_grad=True),
        torch.randn(batch, n, n, requires_grad=True),
        Chain(torch.randn(batch, n, TAGS, requires_grad=True), *weights, mask),
        torch.randn(batch, n - 1, TAGS, TAGS, requires_grad=True),
        Chain(potentials, *of_states, mask).constrained(constraints),
        torch.randn(batch, n, LONGEST + 1, labels, labels, requires_grad=True),
    )


ALGORITHMS = {
    "best tree (Chu-Liu/Edmonds)": Algorithm(3, lambda data: best_heads(data.arcs)),
    f"{COUNT} best trees (Camerini)": Algorithm(
        3, lambda data: best_ones(data.arcs.unsqueeze(3), COUNT)
    ),
    "sum over trees (matrix-tree)": Algorithm(
        3,
        lambda data: log_partition(data.arcs),
        lambda data: torch_struct.NonProjectiveDependencyCRF(data.by_head).partition,
    ),
    f"{COUNT} draws of trees": Algorithm(
        3, lambda data: draw_trees(data.arcs, torch.rand(len(data.arcs), COUNT, len(data.arcs[0])))
    ),
    "best projective tree (Eisner)": Algorithm(
        3,
        lambda data: best_heads(data.arcs, projective=True),
        lambda data: torch_struct.DependencyCRF(data.by_head, multiroot=False).argmax,
    ),
    f"{COUNT} best projective trees": Algorithm(
        3, lambda data: best_ones(data.arcs.unsqueeze(3), COUNT, projective=True)
    ),
    "sum over projective trees (inside)": Algorithm(
        3,
        lambda data: log_partition(data.arcs, projective=True),
        lambda data: torch_struct.DependencyCRF(data.by_head, multiroot=False).partition,
    ),
    f"{COUNT} draws of projective trees": Algorithm(
        3, lambda data: draw_projective(data.arcs.repeat_interleave(COUNT, 0))
    ),
    "best tags (Viterbi)": Algorithm(
        1,
        lambda data: data.tags.best(),
        lambda data: torch_struct.LinearChainCRF(data.edges).argmax,
    ),
    f"{COUNT} best sequences of tags": Algorithm(1, lambda data: data.tags.best_ones(COUNT)),
    "sum over tags (forward)": Algorithm(
        1,
        lambda data: data.tags.log_partition(),
        lambda data: torch_struct.LinearChainCRF(data.edges).partition,
    ),
    f"{COUNT} draws of tags": Algorithm(1, lambda data: data.tags.draws(COUNT)),
    "best segments (semi-Markov)": Algorithm(
        1,
        lambda data: data.segments.best(),
        lambda data: torch_struct.SemiMarkovCRF(data.segment_edges).argmax,
    ),
    "sum over segments (semi-Markov)": Algorithm(
        1,
        lambda data: data.segments.log_partition(),
        lambda data: torch_struct.SemiMarkovCRF(data.segment_edges).partition,
    ),
}


def measure(algorithm: Algorithm, data: Inputs, repeats: int) -> Compared:
    """The seconds of both sides, in turns; the first turn warms up."""
    sides = [algorithm.ours]
    if algorithm.theirs is not None and torch_struct is not None:
        sides.append(algorithm.theirs)
    seconds: List[List[float]] = [[], []]
    for repeat in range(repeats + 1):
        for side, of_side in zip(sides, seconds, strict=False):
            took = cpu_seconds(lambda side=side: side(data))
            if repeat:
                of_side.append(took)
    return Compared(*seconds)


def draw(found: Dict[str, List[Point]]) -> Figure:
    """The time over the number of tokens, on logarithmic axes."""
    with in_style():
        figure = Figure(figsize=(5.4, 4.6), layout="constrained")
        axis = figure.subplots()
        for number, (name, points) in enumerate(found.items()):
            style = ("o-", "s--")[number // len(RUNS) % 2]
            axis.loglog(
                [point.size for point in points],
                [1000 * point.seconds for point in points],
                style,
                color=RUNS[number % len(RUNS)],
                label=name,
                markersize=3,
            )
        axis.set_xlabel("tokens")
        axis.set_title("time of a sentence, ms")
        axis.legend(frameon=False, fontsize=5)
        return figure


def main() -> None:
    """Prints the table, and writes the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=8, help="in a batch")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--largest", type=int, help="leaves out sizes above this one")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "exact_growth")
    arguments = parser.parse_args()
    on_one_core()
    sizes = [size for size in SIZES if size <= (arguments.largest or size)]
    batches = {}
    for size in sizes:
        torch.manual_seed(0)
        batches[size] = inputs(arguments.sentences, size)
    last = f"torch-struct, {sizes[-1]}"
    table = Table("algorithm", *map(str, sizes), "tokens^", "of the math", last, "ratio")
    found: Dict[str, List[Point]] = {}
    for name, algorithm in ALGORITHMS.items():
        points = found[name] = []
        for size in sizes:
            compared = measure(algorithm, batches[size], arguments.repeats)
            seconds = statistics.median(compared.ours) / arguments.sentences
            points.append(Point(size, seconds, 0.0))
        beside = ["", ""]
        if compared.other:
            theirs = 1000 * statistics.median(compared.other) / arguments.sentences
            beside = [f"{theirs:.3g}", f"{statistics.median(compared.ratios):.2g}"]
        table.add_row(
            name,
            *(f"{1000 * point.seconds:.3g}" for point in points),
            f"{exponents(points)[0]:.2f}",
            f"{algorithm.math:g}",
            *beside,
        )
    console = Console()
    console.print(table)
    for path in save(draw(found), arguments.out, "exact_growth"):
        console.print(f"Written to {path}.")


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
