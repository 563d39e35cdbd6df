"""What the scripts about results share: configs of methods on data sets, and quiet runs of them."""

import copy
import functools
import json
import logging
import multiprocessing
import os
import statistics
import sys
import time
import warnings
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import _jsonnet

ROOT = Path(__file__).resolve().parents[1]
LIB = ROOT / "training_configs" / "lib"
# The library of methods of each task, and the table of its data sets.
TASKS = {
    "multi_label": "data_sets",
    "tagging": "tagging_data_sets",
    "segmentation": "segmentation_data_sets",
}
SEARCH_SPACES = {
    "multi_label": "search_spaces",
    "tagging": "tagging_search_spaces",
    "segmentation": "segmentation_search_spaces",
}


class Experiment(NamedTuple):
    """One training: a method on a data set under a seed."""

    data_set: str
    method: str
    seed: int

    def folder(self, root: Path) -> Path:
        """Where its run is."""
        return root / self.data_set / self.method / f"seed_{self.seed}"


@functools.lru_cache(maxsize=None)
def names_in(library: str) -> List[str]:
    """The fields of a file of `training_configs/lib`: its data sets, or its methods."""
    snippet = f"std.objectFields(import '{LIB}/{library}.libsonnet')"
    return json.loads(_jsonnet.evaluate_snippet("names", snippet))


def data_sets() -> List[str]:
    """The data sets of all tasks."""
    return [name for table in TASKS.values() for name in names_in(table)]


def task_of(data_set: str) -> str:
    """The task of a data set."""
    return next(task for task, table in TASKS.items() if data_set in names_in(table))


def methods_of(data_set: str) -> List[str]:
    """The methods that have a config for a data set."""
    folder = LIB.parent / task_of(data_set) / data_set
    return sorted(path.stem for path in folder.glob("*.jsonnet"))


def check_methods(data_sets: List[str], methods: Optional[List[str]]) -> None:
    """Raises `ValueError` for a method that one of the data sets does not have."""
    for data_set in data_sets:
        known = methods_of(data_set)
        for method in methods or []:
            if method not in known:
                raise ValueError(f"expected a method of {data_set}, one of {known}, got '{method}'")


def metric_of(config: Dict[str, Any]) -> str:
    """The metric by which the best epoch is chosen."""
    return config["trainer"]["validation_metric"].lstrip("+-")


def config_of(
    data_set: str,
    method: str,
    seed: Optional[int] = None,
    hyper_parameters: Optional[Dict[str, Any]] = None,
) -> Dict[str, Any]:
    """The shipped config of a method on a data set; where hyper-parameters are given, they stand in
    place of those that it was tuned to."""
    tuned = (
        "" if hyper_parameters is None else f"+ {{ tuned: {{}} }} + {json.dumps(hyper_parameters)}"
    )
    task = task_of(data_set)
    snippet = (
        f"(import '{LIB}/{task}.libsonnet').{method}("
        f"(import '{LIB}/{TASKS[task]}.libsonnet').{data_set} {tuned})"
    )
    config = json.loads(_jsonnet.evaluate_snippet(f"{data_set}/{method}", snippet))
    if seed is not None:
        config.update(random_seed=seed, numpy_seed=seed, pytorch_seed=seed)
    return config


def train(config: Dict[str, Any], folder: Path) -> Dict[str, Any]:
    """Trains a config quietly, as `allennlp train` does, and gives its metrics; where a run of this
    config was stopped, it goes on."""
    from allennlp.commands.train import train_model
    from allennlp.common import Params

    begun = folder / "config.json"
    recover = begun.exists() and json.loads(begun.read_text()) == config
    params = Params(copy.deepcopy(config))  # training takes keys away
    train_model(params, str(folder), recover=recover, force=not recover)
    return json.loads((folder / "metrics.json").read_text())


RATES = {"projected-gradient": 0.1, "entropic-mirror-descent": 1.0, "logits-gradient": 1.0}


def descent(
    steps: int,
    start: Any = "uniform",
    optimizer: str = "entropic-mirror-descent",
    rate: Optional[float] = None,
    pick: str = "best",
) -> Dict[str, Any]:
    """The config of gradient-based inference."""
    return {
        "type": "gradient-based-inference",
        "num_steps": steps,
        "optimizer": {"type": optimizer, "learning_rate": rate or RATES[optimizer]},
        "start": start,
        "pick": pick,
    }


def inference_of(config: Dict[str, Any], networks: Any) -> Any:
    """The sampler of a config that predicts with the networks of a model."""
    from allennlp.common import Params

    from structured_energy.samplers import Sampler

    return Sampler.from_params(
        Params(copy.deepcopy(config)),
        output_space=networks.output_space,
        score_network=networks.score_network,
        task_network=networks.task_network,
    ).eval()


def test_batches(archive: Any, size: int = 32) -> List[Dict[str, Any]]:
    """The test data of a run on sequences, in batches of instances of like length."""
    from allennlp.data.data_loaders import SimpleDataLoader

    instances = list(archive.dataset_reader.read(archive.config["test_data_path"]))
    instances.sort(key=lambda instance: len(instance["x"].tokens))
    return list(SimpleDataLoader(instances, batch_size=size, vocab=archive.model.vocab))


def predictions_in(
    model: Any, sampler: Any, batches: List[Dict[str, Any]], repeats: int
) -> Tuple[List[Any], float]:
    """What a sampler predicts for each batch, the encoding of x included, and the median of the
    seconds that a pass over all takes; the first one warms up."""
    import torch

    from structured_energy.networks import frozen

    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        outputs = []
        for batch in batches:
            with torch.no_grad(), frozen(model):
                outputs.append(sampler.sample(batch["x"], None, batch.get("mask")).y)
        seconds.append(time.perf_counter() - start)
    return outputs, statistics.median(seconds[1:])


def on_one_core() -> None:
    """For a script that measures: one thread, no warnings, no log lines."""
    import torch

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)


def be_quiet() -> None:
    """For a process of its own: one thread, no progress bars, no log lines."""
    warnings.filterwarnings("ignore")
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (it lives as long as the process)
    import structured_energy  # noqa: F401  (registers what the configs are made of)

    on_one_core()


class _Process:
    """A process that does one job at a time; a new one after 20, which frees what they left."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begins anew."""
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), be_quiet)
        self.jobs = 0

    def submit(self, function: Any, job: Any) -> "Future[Any]":
        """Begins a job."""
        if self.jobs == 20:
            self.pool.shutdown()
            self.begin()
        self.jobs += 1
        return self.pool.submit(function, job)


def in_processes(
    function: Any,
    jobs: List[Any],
    workers: int,
    waiting: Callable[[], None] = lambda: None,
    period: float = 2.0,
) -> Iterator[Tuple[Any, Any]]:
    """Each job with what `function` makes of it, or the error that it raised, as they end;
    `waiting` is called each `period` seconds until then. A job whose process was killed is begun
    once more."""
    left = deque((job, 1) for job in jobs)
    idle = [_Process() for _ in range(min(workers, len(jobs)))]
    running: Dict["Future[Any]", Tuple[Any, int, _Process]] = {}
    try:
        while left or running:
            while left and idle:
                job, tries = left.popleft()
                process = idle.pop()
                running[process.submit(function, job)] = job, tries, process
            done, _ = wait(running, timeout=period, return_when=FIRST_COMPLETED)
            if not done:
                waiting()
            for future in done:
                job, tries, process = running.pop(future)
                error = future.exception()
                idle.append(process)
                if isinstance(error, BrokenProcessPool):
                    process.begin()
                    if tries:
                        left.appendleft((job, tries - 1))
                        continue
                yield job, future.result() if error is None else error
    finally:
        for process in idle:
            process.pool.shutdown()
        for _, _, process in running.values():
            process.pool.shutdown(wait=False, cancel_futures=True)
