"""Results of methods with several decoders, gathered in a file that grows over many sessions.

    python -m experiments.results run --data-sets bibtex scene --seeds 0 1 2
    python -m experiments.results table --metric example_f1 --decoder best

`run` trains what is missing in the file, fits the decoders to the validation data, and writes the
metrics of each on the validation and the test data. `table` shows methods by data sets. The decoder
`best` is for each method and data set the one with the best mean of the metric over the seeds on
the validation data; `config` is the decoder with which the runs were trained. With `--train-shares`
the methods learn from shares of the training rows, each share in the next larger one.
"""

import argparse
import csv
import io
import json
import re
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from rich.console import Console

from benchmarks.common import ROOT, check_methods, config_of, data_sets, methods_of, names_in
from structured_energy.atomic_files import write_atomically
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.reporting import BEST, Run, decode_run, render, tables_of_results
from structured_energy.sweeps import Job, Jobs
from structured_energy.sweeps.sweep import line

FILE = ROOT / "experiments" / "results.csv"
METRICS = ("example_f1", "micro_f1", "macro_f1", "subset_accuracy", "map_example", "au_prc")
PARTS = ("validation", "test")
CONFIG = "config"
PUBLISHED = "@published"
KEYS = ("data_set", "method", "seed", "decoder")
HEADER = (*KEYS, "digest", "epoch", *(f"{part}_{name}" for part in PARTS for name in METRICS))

Row = Dict[str, str]


class Case(NamedTuple):
    """A run: a method with a seed on a data set, of the published protocol if its name ends so, and
    trained on a share of its training rows if it ends as in `bibtex@25%`."""

    data_set: str
    method: str
    seed: int

    def config(self) -> Dict[str, Any]:
        """Return the config of the run."""
        if self.data_set.endswith(PUBLISHED):
            name = self.data_set.removesuffix(PUBLISHED)
            return config_of(name, self.method, self.seed, table="published")
        name, _, share = self.data_set.partition("@")
        config = config_of(name, self.method, self.seed)
        if share:
            config["train_data_path"] = _part(config["train_data_path"], int(share.rstrip("%")))
        return config


def _part(path: str, share: int) -> str:
    """Return the path of the first `share` percent of the training rows, in whole percent of the
    file."""
    match = re.fullmatch(r"([^\[]*)(?:\[:(\d+)%\])?(\?seed=\d+)?", path)
    if match is None:
        raise ValueError(f"Expected training rows from the first one on, got '{path}'.")
    file, stop, seed = match.groups("")
    return f"{file}[:{int(stop or 100) * share // 100}%]{seed}"


def read(path: Path) -> List[Row]:
    """Return the rows of the file; an empty list where there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows in the order of their keys."""
    ordered = sorted(rows, key=lambda row: (*(row[key] for key in KEYS[:2]), int(row["seed"])))
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(ordered)
    write_atomically(path, text.getvalue())


def rows_of(case: Case, folder: Path) -> List[Row]:
    """Return the rows of a finished run: for the decoder of its config and for all others, except
    in the published protocol, which has one decoder."""
    run = Run.read(folder)
    metrics: Dict[str, Dict[str, Dict[str, float]]] = {CONFIG: run.metrics}
    if not case.data_set.endswith(PUBLISHED):
        for label, decoded in decode_run(folder, with_test=True).items():
            metrics[label] = decoded.metrics
    rows = []
    for decoder, parts in metrics.items():
        row: Row = {key: str(value) for key, value in case._asdict().items()}
        row.update(decoder=decoder, digest=run.digest, epoch=str(run.best_epoch))
        for part in PARTS:
            for name in METRICS:
                if name in parts[part]:
                    row[f"{part}_{name}"] = f"{parts[part][name]:.5f}"
        rows.append(row)
    return rows


def run(cases: Sequence[Case], file: Path, out: Path, jobs: int, keep: bool) -> bool:
    """Train the cases that are missing in the file, and write each as it ends; return whether all
    have finished."""
    digests = {(c.data_set, c.method, c.seed): _digest(c) for c in cases}
    there = {(r["data_set"], r["method"], int(r["seed"])): r["digest"] for r in read(file)}
    missing = [case for case in cases if there.get(tuple(case)) != digests[tuple(case)]]
    say = Console(soft_wrap=True).print
    say(f"{len(missing)} of {len(cases)} runs to train", markup=False)
    failed = 0
    todo = [
        Job("/".join(map(str, case)), case.config(), out / "/".join(map(str, case)), case)
        for case in missing
    ]
    for number, outcome in enumerate(Jobs(jobs).run(iter(todo)), 1):
        say(f"{number}/{len(missing)} {line(outcome)}", markup=False, highlight=False)
        if outcome.state != "finished":
            failed += 1
            continue
        case, folder = outcome.job.key, outcome.job.folder
        rows = [row for row in read(file) if _case(row) != case]
        write(file, [*rows, *rows_of(case, folder)])
        if not keep:
            shutil.rmtree(folder)
    return not failed


def _digest(case: Case) -> str:
    """Return the digest that a run of the case has, see `Run.digest`."""
    return Run(Path(), json.loads(json.dumps(case.config())), {}, None, False).digest


def _case(row: Row) -> Case:
    return Case(row["data_set"], row["method"], int(row["seed"]))


def runs_with(rows: Sequence[Row], decoder: str, metric: str = METRICS[0]) -> List[Run]:
    """Return the outcomes with a decoder, or with the `best` one for a metric, as runs for the
    tables of `allennlp results`."""
    groups: Dict[Tuple[str, str], List[Row]] = {}
    for row in rows:
        groups.setdefault((row["data_set"], row["method"]), []).append(row)
    found = []
    for (data_set, method), group in groups.items():
        chosen = best_of(group, metric) if decoder == BEST else decoder
        for row in group:
            if row["decoder"] == chosen:
                found.append(_as_run(row, data_set, method))
    return found


def best_of(rows: Sequence[Row], metric: str = METRICS[0]) -> Optional[str]:
    """Return the decoder with the best mean of a metric over the seeds on the validation data,
    without that of the config; `None` where no row has the metric."""
    values: Dict[str, List[float]] = {}
    for row in rows:
        if row["decoder"] != CONFIG and row[f"validation_{metric}"]:
            values.setdefault(row["decoder"], []).append(float(row[f"validation_{metric}"]))
    return max(values, key=lambda name: statistics.mean(values[name]), default=None)


def _as_run(row: Row, data_set: str, method: str) -> Run:
    metrics = {part: {n: float(v) for n in METRICS if (v := row[f"{part}_{n}"])} for part in PARTS}
    config = {
        "random_seed": int(row["seed"]),
        "numpy_seed": int(row["seed"]),
        "pytorch_seed": int(row["seed"]),
        "test_data_path": f"data://{data_set}/test",
        "model": {"metrics": [name.replace("_", "-") for name in METRICS], "method": method},
    }
    folder = Path("/", method, f"seed_{row['seed']}")
    return Run(folder, config, metrics, int(row["epoch"]), True)


def main() -> int:
    """Train, or show a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("run", "table"))
    known = data_sets()
    parser.add_argument("--data-sets", nargs="+", choices=known)
    parser.add_argument(
        "--published", action="store_true", help="the protocol of published.libsonnet"
    )
    parser.add_argument(
        "--train-shares",
        nargs="+",
        type=int,
        choices=range(1, 101),
        default=[100],
        metavar="PERCENT",
        help="the shares of the training rows, by default 100 percent",
    )
    parser.add_argument("--methods", nargs="+", help="by default all that a data set has")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "results")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folders of the runs")
    parser.add_argument("--metric", nargs="+", choices=METRICS, default=["example_f1"])
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument("--decoder", default=BEST)
    parser.add_argument("--baseline")
    arguments = parser.parse_args()
    if arguments.published and arguments.train_shares != [100]:
        parser.error("expected all training rows for the published protocol, got --train-shares")
    suffixes = ["" if share == 100 else f"@{share}%" for share in arguments.train_shares]
    if arguments.published:
        suffixes = [PUBLISHED]
    if arguments.command == "table":
        shown = {name + suffix for name in arguments.data_sets or known for suffix in suffixes}
        rows = [
            row
            for row in read(arguments.file)
            if row["data_set"] in shown
            and (arguments.methods is None or row["method"] in arguments.methods)
        ]
        texts = []
        for metric in arguments.metric:
            runs = runs_with(rows, arguments.decoder, metric)
            if not runs:
                raise ValueError(
                    f"Expected results of {metric} with the decoder '{arguments.decoder}', got "
                    "none."
                )
            tables = tables_of_results(runs, arguments.part, [metric], arguments.baseline)
            texts += [render(table, "markdown") for table in tables]
        sys.stdout.write("\n".join(texts) + "\n")
        return 0
    published = [*names_in("published")]
    chosen = arguments.data_sets or (published if arguments.published else known)
    if arguments.published and not set(chosen) <= set(published):
        parser.error(f"expected data sets of the published protocol, {published}, got {chosen}")
    try:
        check_methods(chosen, arguments.methods)
    except ValueError as error:
        parser.error(str(error))
    cases = [
        Case(data_set + suffix, method, seed)
        for seed in arguments.seeds
        for data_set in chosen
        for suffix in suffixes
        for method in arguments.methods or methods_of(data_set)
    ]
    return int(not run(cases, arguments.file, arguments.out, arguments.jobs, arguments.keep))


if __name__ == "__main__":
    say_errors_in_one_sentence()
    raise SystemExit(main())
