"""What the callbacks that look on cost, beside the training that they look on.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python -m benchmarks.callback_costs [--repeats 3]

A whole training of a shipped config on one core, without a callback and with each at its defaults,
in turns. The share is the time within the callback's own methods, beside the rest of the same
training; other programs of the machine slow both. What its start and end take does not grow with
the training. `with : without` compares the times of two trainings, and is noisier. Medians of the
repeats.
"""

import argparse
import contextlib
import copy
import os
import statistics
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from allennlp.common import Params
from allennlp.training import TrainerCallback
from rich.console import Console
from rich.table import Table

import structured_energy  # noqa: F401  (registers what the configs are made of)
from benchmarks.common import built, config_of, on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.training import callbacks_of

# What a trainer calls.
METHODS = ("on_start", "on_batch", "on_backward", "on_epoch", "on_end", "state_dict")
TREE: Dict[str, Dict[str, Any]] = {
    "console-tree": {},
    "tree-to-csv": {},
    "tree-to-tensorboard": {},
    "tree-to-wandb": {"mode": "offline"},
    "plots": {},
}
# Of each config the callbacks, and what is set of them.
CONFIGS: Dict[str, Dict[str, Dict[str, Any]]] = {
    "bibtex/inference_network": TREE,
    "weizmann_horses/cross_entropy": {**TREE, "pictures": {}},
}


class Costs(NamedTuple):
    """Seconds of a training, those in the methods of a callback, and those in its start and end."""

    total: float
    within: float
    once: float

    @property
    def share(self) -> float:
        """What the callback adds to the rest."""
        return self.within / (self.total - self.within)

    @property
    def share_of_epochs(self) -> float:
        """The same without its start and end."""
        return (self.within - self.once) / (self.total - self.within)


class Stopwatch:
    """Adds up the seconds that each of a callback's methods takes."""

    def __init__(self, callback: TrainerCallback) -> None:
        self.seconds = dict.fromkeys(METHODS, 0.0)
        for name in METHODS:
            setattr(callback, name, self._timed(name, getattr(callback, name)))

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **settings: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*arguments, **settings)
            finally:
                self.seconds[name] += time.perf_counter() - start

        return timed


def config_for(name: str, epochs: Optional[int]) -> Dict[str, Any]:
    """The shipped config, trained to its last epoch, or for so many."""
    config = config_of(*name.split("/"))
    config["trainer"].update(patience=None, callbacks=[])
    if epochs is not None:
        config["trainer"]["num_epochs"] = epochs
    return config


def train(config: Dict[str, Any], callback: Optional[Dict[str, Any]]) -> Costs:
    """Trains with a callback or without; what they print is not shown."""
    config = copy.deepcopy(config)
    config["trainer"]["callbacks"] = [] if callback is None else [callback]
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        Params(config).to_file(os.path.join(folder, "config.json"))
        run = built(config, folder)
        watch = Stopwatch(callbacks_of(run.trainer)[0])  # without one, that of AllenNLP's log lines
        start = time.perf_counter()
        run.trainer.train()
        total = time.perf_counter() - start
    seconds = watch.seconds
    return Costs(total, sum(seconds.values()), seconds["on_start"] + seconds["on_end"])


def compare(
    config: Dict[str, Any], callbacks: Dict[str, Dict[str, Any]], repeats: int
) -> Dict[str, List[Costs]]:
    """What each callback costs, in turns; what training costs without one has the name ''."""
    costs: Dict[str, List[Costs]] = {name: [] for name in ("", *callbacks)}
    for _ in range(repeats):
        for name, taken in costs.items():
            taken.append(train(config, {"type": name, **callbacks[name]} if name else None))
    return costs


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="by default those of the config")
    parser.add_argument("--configs", nargs="+", choices=list(CONFIGS), default=list(CONFIGS))
    arguments = parser.parse_args()
    on_one_core()
    os.environ.setdefault("WANDB_SILENT", "true")
    for name in arguments.configs:
        costs = compare(config_for(name, arguments.epochs), CONFIGS[name], arguments.repeats)
        Console().print(table_of(name, costs))


def table_of(name: str, costs: Dict[str, List[Costs]]) -> Table:
    """The medians of a config."""
    without = statistics.median(taken.total for taken in costs[""])
    table = Table(
        "callback",
        "share of training, %",
        "without start and end, %",
        "start and end, s",
        "with : without",
        title=f"{name}, {without:.1f} s",
    )
    for callback, taken in costs.items():
        if callback:
            share, of_epochs, once, total = (
                statistics.median(getattr(one, what) for one in taken)
                for what in ("share", "share_of_epochs", "once", "total")
            )
            table.add_row(
                callback,
                f"{100 * share:.2f}",
                f"{100 * of_epochs:.2f}",
                f"{once:.2f}",
                f"{total / without:.3f}",
            )
    return table


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
