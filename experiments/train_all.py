"""Trains methods on data sets under several seeds, for `experiments/results.py`.

    python -m experiments.train_all --data-sets bibtex scene --methods cross_entropy dvn --seeds 0 1

Each run goes to `runs/results/DATA_SET/METHOD/seed_N`; those that are there already are kept, and
one that was cut off is trained anew.
"""

import argparse
import functools
import time
from pathlib import Path
from typing import Tuple

from rich.console import Console
from tqdm import tqdm

from benchmarks.common import (
    ROOT,
    Experiment,
    check_methods,
    config_of,
    data_sets,
    in_processes,
    methods_of,
    metric_of,
    train,
)


def run(experiment: Experiment, root: Path) -> Tuple[str, float, float]:
    """Trains one, and gives the metric by which its best epoch is chosen, the value that this has
    on the test data, and the seconds that it took."""
    start = time.perf_counter()
    config = config_of(experiment.data_set, experiment.method, experiment.seed)
    metric = metric_of(config)
    value = train(config, experiment.folder(root))[f"test_{metric}"]
    return metric, value, time.perf_counter() - start


def main() -> int:
    """Trains what is missing, and says what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = data_sets()
    parser.add_argument("--data-sets", nargs="+", choices=known, default=known)
    parser.add_argument("--methods", nargs="+", help="by default all that a data set has")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "results")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    root = arguments.runs.resolve()
    try:
        check_methods(arguments.data_sets, arguments.methods)
    except ValueError as error:
        parser.error(str(error))
    wanted = [
        Experiment(data_set, method, seed)
        for seed in arguments.seeds
        for data_set in arguments.data_sets
        for method in arguments.methods or methods_of(data_set)
    ]
    missing = [each for each in wanted if not (each.folder(root) / "metrics.json").exists()]
    console = Console()
    console.print(f"{len(missing)} of {len(wanted)} runs to train, into {root}")
    failed = 0
    jobs = in_processes(functools.partial(run, root=root), missing, arguments.workers)
    progress = tqdm(jobs, desc="training", total=len(missing), unit="run")
    for number, (experiment, result) in enumerate(progress, 1):
        what = f"{number}/{len(missing)} {'/'.join(map(str, experiment))}"
        if isinstance(result, Exception):
            failed += 1
            console.print(f"{what}: failed, {type(result).__name__}: {result}", markup=False)
        else:
            metric, value, seconds = result
            console.print(f"{what}: test {metric} {100 * value:.2f}, {seconds:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
