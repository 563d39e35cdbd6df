"""Times the first layer on bibtex: dense, and by products of sparse rows.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.sparse_layer

The rows are random with bibtex' number of features and share of entries that are not zero.
"""

import argparse
import statistics
from typing import Callable, Dict

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.common import cpu_seconds, on_one_core
from structured_energy.encoders.sparse_layer import SparseLinear, compress
from structured_energy.training.fused_adamw import FusedAdamW

FEATURES, DENSITY = 1836, 0.037


def milliseconds(actions: Dict[str, Callable[[], object]], repeats: int) -> Dict[str, float]:
    """The median of each action, in turns."""
    taken: Dict[str, list] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            taken[name].append(1000 * cpu_seconds(action))
    return {name: statistics.median(values) for name, values in taken.items()}


def measure(batch: int, hidden: int, repeats: int) -> Dict[str, float]:
    """The milliseconds of the parts of a step on a batch."""
    x = (torch.rand(batch, FEATURES) < DENSITY).float()
    dense = torch.nn.Linear(FEATURES, hidden)
    sparse = SparseLinear.of(dense)
    compressed, transposed = compress(x), x.t().to_sparse_csr()
    gradient = torch.randn(batch, hidden)
    dense.weight.grad, sparse.weight.grad = (
        torch.randn_like(w) for w in (dense.weight, sparse.weight)
    )
    optimizers = [FusedAdamW([("weight", layer.weight)]) for layer in (dense, sparse)]
    with torch.no_grad():
        return milliseconds(
            {
                "forward, dense": lambda: dense(x),
                "forward, sparse": lambda: compressed @ sparse.weight.t(),
                "compressing the rows": lambda: compress(x),
                "gradient of W, dense": lambda: x.t() @ gradient,
                "gradient of W, sparse": lambda: transposed @ gradient,
                "compressing the columns": lambda: x.t().to_sparse_csr(),
                "AdamW": optimizers[0].step,
                "AdamW, W by column": optimizers[1].step,
            },
            repeats,
        )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    arguments = parser.parse_args()
    on_one_core()
    sizes = [(32, 400), (128, 400), (128, 800), (512, 800)]
    rows = [measure(*size, arguments.repeats) for size in sizes]
    table = Table(
        "ms of the processor", *(f"{batch} rows, {hidden} units" for batch, hidden in sizes)
    )
    for name in rows[0]:
        table.add_row(name, *(f"{row[name]:.2f}" for row in rows))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
