"""What the callbacks that look on cost, beside the training that they look on.

    STRUCTURED_ENERGY_DATA=... OMP_NUM_THREADS=1 python scripts/callback_costs.py [--repeats 3]

A whole training of a shipped config on one core, without a callback and with each at its defaults,
in turns. The share is the time within the callback's own methods, its start and its end included,
of the rest of the same training; other programs of the machine slow both. Beside it is the time of
the whole training of that without a callback, which is noisier. Medians of the repeats.
"""

import argparse
import contextlib
import copy
import os
import statistics
import tempfile
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.training import TrainerCallback
from experiments import config_of, on_one_core
from rich.console import Console
from rich.table import Table

import structured_energy  # noqa: F401  (registers what the configs are made of)

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
    """Seconds of a training, and those of it that were spent in a callback."""

    total: float
    within: float

    @property
    def share(self) -> float:
        """What the callback adds to the rest."""
        return self.within / (self.total - self.within)


class Stopwatch:
    """Adds up the seconds that a callback's methods take."""

    def __init__(self, callback: TrainerCallback) -> None:
        self.seconds = 0.0
        for name in METHODS:
            setattr(callback, name, self._timed(getattr(callback, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **settings: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*arguments, **settings)
            finally:
                self.seconds += time.perf_counter() - start

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
        run = TrainModel.from_params(
            Params(config), serialization_dir=folder, local_rank=0, batch_weight_key=""
        )
        watch = None if callback is None else Stopwatch(run.trainer._callbacks[0])
        start = time.perf_counter()
        run.trainer.train()
        total = time.perf_counter() - start
    return Costs(total, 0.0 if watch is None else watch.seconds)


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
    table = Table("config", "callback", "in it, s", "share of training, %", "with : without")
    for name in arguments.configs:
        costs = compare(config_for(name, arguments.epochs), CONFIGS[name], arguments.repeats)
        without = statistics.median(taken.total for taken in costs.pop(""))
        table.add_row(name, "none", "", "", f"{without:.1f} s")
        for callback, taken in costs.items():
            within, share, total = (
                statistics.median(getattr(one, what) for one in taken)
                for what in ("within", "share", "total")
            )
            table.add_row(
                name, callback, f"{within:.2f}", f"{100 * share:.2f}", f"{total / without:.3f}"
            )
    Console().print(table)


if __name__ == "__main__":
    main()
