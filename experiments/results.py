"""The table of results, made from the runs on disk.

    python -m experiments.results [--runs runs/results] [--format markdown]

A run is a folder with the `config.json` and `metrics.json` of `allennlp train`, at
`DATA_SET/METHOD/seed_N` (`experiments/train_all.py` makes them). A cell is the mean over seeds of a
metric of the test data, in percent, ± the standard deviation (n - 1), with the number of seeds. ▲
and ▼ say that the difference from the baseline, paired by seed, is beyond noise: the 95 %
confidence interval of its mean (Student's t) leaves out 0. A table has the data sets whose runs
report its metric. `--format csv` gives every run with its seed, and the hash of its config without
the seed, by which runs of one config are told.
"""

import argparse
import csv
import statistics
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from scipy import stats

from benchmarks.common import ROOT
from structured_energy import reporting as reports
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.reporting import Cell, Table, render, show

METRICS = ("example_f1", "map_example", "map_label", "tag_accuracy", "role_f1", "iou")


class Run(NamedTuple):
    """A finished run."""

    data_set: str
    method: str
    seed: int
    config: str
    metrics: Dict[str, float]  # of the test data
    folder: Path

    def test(self, metric: str) -> float:
        """A metric of the test data; one that the run does not have is a `ValueError`."""
        if metric not in self.metrics:
            known = sorted(self.metrics)
            raise ValueError(
                f"{self.folder / 'metrics.json'}: expected the test metric '{metric}', got "
                f"{known or 'none at all'}; choose one of the run's, or train with "
                "evaluate_on_test: true."
            )
        return self.metrics[metric]


def read_runs(root: Path) -> List[Run]:
    """The finished runs below a folder.

    # Raises

    `ValueError` where there are none, where a folder's name is not the seed of its run, or where
    the runs of a method on a data set were of different configs.
    """
    runs = []
    for path in sorted(root.glob("*/*/seed_*/metrics.json")):
        outcome = reports.Run.read(path.parent)
        *_, data_set, method, name = path.parent.parts
        if name != f"seed_{outcome.seed}":
            raise ValueError(
                f"{path.parent}: expected the run of the seed that its name says, got one with the "
                f"seed {outcome.seed}; rename it or train it again."
            )
        metrics = outcome.metrics["test"]
        runs.append(Run(data_set, method, int(name[5:]), outcome.digest, metrics, path.parent))
    if not runs:
        raise ValueError(
            f"Expected finished runs at {root}/DATA_SET/METHOD/seed_N, got none; train some with "
            "experiments/train_all.py."
        )
    for key, group in grouped(runs).items():
        if len({run.config for run in group}) > 1:
            raise ValueError(
                f"{root}: expected one config for all seeds of {'/'.join(key)}, got "
                f"{len({run.config for run in group})}; train again those that are out of date."
            )
    return runs


def grouped(runs: Sequence[Run]) -> Dict[Tuple[str, str], List[Run]]:
    """The runs by data set and method."""
    groups: Dict[Tuple[str, str], List[Run]] = {}
    for run in runs:
        groups.setdefault((run.data_set, run.method), []).append(run)
    return groups


def reporting(runs: Sequence[Run], metric: str) -> List[Run]:
    """The runs on those data sets that the metric is reported for."""
    data_sets = {run.data_set for run in runs if metric in run.metrics}
    return [run for run in runs if run.data_set in data_sets]


def beyond_noise(values: Dict[int, float], baseline: Dict[int, float]) -> Optional[int]:
    """The sign of the mean difference, paired by seed, where its 95 % confidence interval leaves
    out 0; 0 where it does not; `None` with fewer than two seeds in common."""
    seeds = sorted(values.keys() & baseline.keys())
    differences = [values[seed] - baseline[seed] for seed in seeds]
    if len(differences) < 2:
        return None
    mean = statistics.mean(differences)
    error = statistics.stdev(differences) / len(differences) ** 0.5
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return 0 if abs(mean) <= half else (1 if mean > 0 else -1)


def by_seed(runs: Sequence[Run], metric: str) -> Dict[int, float]:
    """The test metric of each seed, in percent."""
    return {run.seed: 100 * run.test(metric) for run in runs}


def cell(values: Dict[int, float], baseline: Optional[Dict[int, float]]) -> str:
    """Mean ± standard deviation (number of seeds), and whether that is beyond noise."""
    numbers = list(values.values())
    spread = f" ± {statistics.stdev(numbers):.2f}" if len(numbers) > 1 else ""
    sign = None if baseline is None else beyond_noise(values, baseline)
    mark = {1: " ▲", -1: " ▼"}.get(sign or 0, "")
    return f"{statistics.mean(numbers):.2f}{spread} ({len(numbers)}){mark}"


def rows_of(runs: Sequence[Run], metric: str, baseline: str) -> Tuple[List[str], List[List[str]]]:
    """The header and the rows of the table of a metric: methods by data sets.

    # Raises

    `ValueError` where no run has the metric, or not every run of a data set.
    """
    runs = reporting(runs, metric) or runs
    groups = grouped(runs)
    data_sets = sorted({run.data_set for run in runs})
    methods = sorted({run.method for run in runs}, key=lambda name: (name != baseline, name))
    rows = []
    for method in methods:
        row = [method]
        for data_set in data_sets:
            mine = groups.get((data_set, method))
            base = groups.get((data_set, baseline)) if method != baseline else None
            against = None if base is None else by_seed(base, metric)
            row.append("" if mine is None else cell(by_seed(mine, metric), against))
        rows.append(row)
    return ["method", *data_sets], rows


def write_csv(runs: Sequence[Run], metrics: Sequence[str]) -> None:
    """Every run, one a line, without a value where its data set does not have the metric."""
    with_metric = {metric: reporting(runs, metric) or runs for metric in metrics}
    writer = csv.writer(sys.stdout)
    writer.writerow(["data_set", "method", "seed", "config", *metrics, "folder"])
    for run in runs:
        values = [
            f"{run.test(metric):.6f}" if run in with_metric[metric] else "" for metric in metrics
        ]
        writer.writerow([run.data_set, run.method, run.seed, run.config, *values, run.folder])


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "results")
    known = ", ".join(METRICS)
    parser.add_argument("--metrics", nargs="+", help=f"by default those of {known} there are")
    parser.add_argument("--baseline", default="cross_entropy")
    parser.add_argument("--format", choices=["console", "markdown", "csv"], default="console")
    arguments = parser.parse_args()
    runs = read_runs(arguments.runs)
    metrics = arguments.metrics or [metric for metric in METRICS if reporting(runs, metric)]
    if arguments.format == "csv":
        write_csv(runs, metrics)
        return
    for metric in metrics:
        header, rows = rows_of(runs, metric, arguments.baseline)
        cells = [[Cell(text) for text in row] for row in rows]
        table = Table(f"Test {metric}, %", header, cells, [])
        if arguments.format == "markdown":
            print(render(table, "markdown"), end="\n\n")
        else:
            show(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
