"""How the time and the memory of a training step grow with the labels, draws, tokens and tags.

    OMP_NUM_THREADS=1 python -m benchmarks.growth [--axes labels tokens] [--repeats 5]

A step is one step of each network of a shipped config on a batch, on random data: costs depend on
sizes alone. `time` is the median of the repeats, `memory` the peak of the process that takes the
steps, beyond what it had before the model was built. Each is fitted by size^e between the two
largest sizes, memory beyond that of the smallest size, most of which is torch. The math is linear
in labels, draws and tokens; a chain of T tokens and K tags is T·K², attention T². An exponent that
is more than 0.3 above it (what no longer fits into the cache takes up to twice as long) is marked,
and the script ends with 1.
"""

import argparse
import math
import multiprocessing
import resource
import statistics
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import torch
from allennlp.common import Params
from allennlp.common.params import with_overrides
from allennlp.data import Batch, Vocabulary
from allennlp.models import Model
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.common import ROOT, config_of, on_one_core
from benchmarks.decoding_speed import sentences
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.reporting.style import RUNS, in_style, save

TOLERANCE = 0.3
Made = Tuple[Model, Dict[str, Any]]  # a model, and a batch for it


class Point(NamedTuple):
    """What a step costs at a size."""

    size: int
    seconds: float
    megabytes: float


class Axis(NamedTuple):
    """What grows, to which sizes, and for each method the exponent of the math."""

    sizes: Tuple[int, ...]
    methods: Dict[str, float]
    make: Callable[[str, int], Made]


def multi_label(method: str, labels: int = 1_000, draws: int = 0) -> Made:
    """A method of bibtex, for 32 instances of 100 features."""
    vocab = Vocabulary(non_padded_namespaces=["features", "labels"])
    for namespace, count in (("features", 100), ("labels", labels)):
        for i in range(count):
            vocab.add_token_to_namespace(str(i), namespace)
    config = {"model": config_of("bibtex", method)["model"]}
    if draws:
        config = with_overrides(config, {"model.sampler.num_samples": draws})
    model = Model.from_params(Params(config["model"]), vocab=vocab)
    return model, {"x": torch.randn(32, 100), "labels": torch.rand(32, labels) < 0.01}


def tagging(method: str, tokens: int = 50, tags: int = 10) -> Made:
    """A method of twpos, for 8 sentences."""
    instances = sentences(8, tokens, tags)
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances)
    batch.index_instances(vocab)
    config = config_of("twpos", method)["model"]
    return Model.from_params(Params(config), vocab=vocab), batch.as_tensor_dict()


AXES = {
    "labels": Axis(
        (100, 1_000, 10_000, 100_000),
        dict.fromkeys(["cross_entropy", "inference_network", "seal_dynamic_nce", "dvn", "spen"], 1),
        lambda method, size: multi_label(method, labels=size),
    ),
    "draws": Axis(
        (1, 10, 100, 1_000),
        {"seal_dynamic_nce": 1},
        lambda method, size: multi_label(method, draws=size),
    ),
    "tokens": Axis(
        (10, 100, 1_000),
        {
            **dict.fromkeys(["cross_entropy", "crf", "spen", "inference_network"], 1),
            "inference_network_high_order": 1,
            "inference_network_label_language_model": 1,
            "inference_network_self_attention": 2,
        },
        lambda method, size: tagging(method, tokens=size),
    ),
    "tags": Axis(
        (10, 100, 400),
        {"cross_entropy": 1, "crf": 2, "inference_network": 2},
        lambda method, size: tagging(method, tags=size),
    ),
}


def seconds_of_step(model: Model, batch: Dict[str, Any], repeats: int) -> float:
    """The median seconds of a step of each network; the first one warms up."""
    optimizers = {
        network: torch.optim.Adam([p for _, p in parameters])
        for network, parameters in model.networks.items()
        if network in model.losses
    }
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        for network, optimizer in optimizers.items():
            with model.optimizing(network):
                model(**batch)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def peak_megabytes() -> float:
    """The peak of this process's memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(make: Callable[[str, int], Made], method: str, size: int, repeats: int) -> Point:
    """The costs at a size, in a process of its own, whose peak is that of the step."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work() -> None:
        torch.nn.Linear(1, 1)(torch.ones(1)).backward()  # what torch needs for a first step
        before = peak_megabytes()
        torch.manual_seed(0)
        model, batch = make(method, size)
        seconds = seconds_of_step(model, batch, repeats)
        sender.send(Point(size, seconds, peak_megabytes() - before))

    process = context.Process(target=work)
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError as error:
        process.join()
        raise RuntimeError(
            f"Expected the costs of {method} at {size:,}, got no answer from its process, which "
            f"ended with {process.exitcode} (-9: the machine had too little memory)."
        ) from error
    finally:
        process.join()


def exponents(points: List[Point]) -> Tuple[float, float]:
    """e of time and of memory, where they grow as size^e between the two largest sizes."""
    first, before, last = points[0], points[-2], points[-1]
    step = math.log(last.size / before.size)
    # Less than some MB is what the allocator rounds up.
    less, more = (max(each.megabytes - first.megabytes, 4.0) for each in (before, last))
    return math.log(last.seconds / before.seconds) / step, math.log(more / less) / step


def draw(found: Dict[str, Dict[str, List[Point]]]) -> Figure:
    """Time and memory over each size, on logarithmic axes, beside a line that is linear."""
    with in_style():
        figure = Figure(figsize=(3.4 * len(found), 5.6), layout="constrained")
        axes = figure.subplots(2, len(found), squeeze=False)
        for column, (name, methods) in enumerate(found.items()):
            for row, (cost, title) in enumerate(
                (("seconds", "time of a step, ms"), ("megabytes", "peak memory, MB"))
            ):
                axis = axes[row, column]
                scale = 1000 if cost == "seconds" else 1
                for colour, (method, points) in zip(RUNS, methods.items(), strict=False):
                    sizes = [point.size for point in points]
                    costs = [scale * getattr(point, cost) for point in points]
                    axis.loglog(sizes, costs, "o-", color=colour, label=method, markersize=3)
                highest = max(scale * getattr(points[-1], cost) for points in methods.values())
                linear = [highest * size / sizes[-1] for size in sizes]
                axis.loglog(sizes, linear, ":", color="#999999", label="linear")
                axis.set_title(title)
                axis.set_xlabel(name)
            axes[0, column].legend(frameon=False, fontsize=6)
        return figure


def main() -> int:
    """Prints the table, and writes the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axes", nargs="+", choices=list(AXES), default=list(AXES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--largest", type=int, help="leaves out sizes above this one")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "growth")
    arguments = parser.parse_args()
    on_one_core()
    found: Dict[str, Dict[str, List[Point]]] = {}
    console = Console()
    too_much = 0
    for name in arguments.axes:
        axis = AXES[name]
        sizes = [size for size in axis.sizes if size <= (arguments.largest or size)]
        fitted = ("time ~ size^", "memory ~ size^", "of the math")
        table = Table("method", *(f"{size:,}" for size in sizes), *fitted, title=name)
        for method, most in axis.methods.items():
            points = [measure(axis.make, method, size, arguments.repeats) for size in sizes]
            found.setdefault(name, {})[method] = points
            grown = exponents(points)
            above = [each > most + TOLERANCE for each in grown]
            too_much += any(above)
            table.add_row(
                method,
                *(f"{1000 * p.seconds:.3g} ms, {p.megabytes:,.0f} MB" for p in points),
                *(f"{e:.2f}{' !' if more else ''}" for e, more in zip(grown, above, strict=True)),
                f"{most:g}",
            )
        console.print(table)
    for path in save(draw(found), arguments.out, "growth"):
        console.print(f"Written to {path}.")
    if too_much:
        console.print(f"{too_much} grow faster than the math demands (!).")
    return int(too_much > 0)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    raise SystemExit(main())
