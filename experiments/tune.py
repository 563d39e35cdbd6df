"""Tunes methods on the published data sets, and writes the best into the library of configs.

    python -m experiments.tune --data-sets scene --methods cross_entropy dvn --trials 20 --jobs 2

It is `allennlp tune` for each config of `training_configs`, with the same number of trials for each
method, in the search space of the library. A search that was stopped is resumed.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console

from benchmarks.common import ROOT, check_methods, data_sets, methods_of, task_of
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.configs import LIBRARY
from structured_energy.sweeps import ConfigFile, Settings, Tuning, default_space

TABLE = LIBRARY / "tuned.json"


def write(table: Path, data_set: str, method: str, values: dict) -> None:
    """Lay the values of a method over those that it was tuned to before."""
    content = json.loads(table.read_text())
    content.setdefault(data_set, {})[method] = values
    table.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def main() -> int:
    """Tune, show the best, and say what failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = data_sets()
    parser.add_argument("--data-sets", nargs="+", choices=known, default=known)
    parser.add_argument("--methods", nargs="+", help="by default all that a data set has")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "tuning")
    parser.add_argument("--table", type=Path, default=TABLE, help="file that the best go into")
    parser.add_argument("-o", "--overrides", default="")
    arguments = parser.parse_args()
    try:
        check_methods(arguments.data_sets, arguments.methods)
    except ValueError as error:
        parser.error(str(error))
    console = Console(soft_wrap=True)
    failed = 0
    for data_set in arguments.data_sets:
        for method in arguments.methods or methods_of(data_set):
            path = ROOT / "training_configs" / task_of(data_set) / data_set / f"{method}.jsonnet"
            file = ConfigFile(path, arguments.overrides)
            settings = Settings(arguments.trials, arguments.jobs)
            out = arguments.out / data_set / method
            tuning = Tuning(file, default_space(file), out, settings)
            best = tuning.run(lambda text: console.print(text, markup=False))
            name = f"{data_set}/{method}"
            if best is None:
                failed += 1
                console.print(f"{name}: no trial finished; see the logs in {out}", markup=False)
                continue
            write(arguments.table, data_set, method, best.values)
            console.print(f"{name}: validation {tuning.metric} {best.value:.4f}", markup=False)
    return int(failed > 0)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    raise SystemExit(main())
