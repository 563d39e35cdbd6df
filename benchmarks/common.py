"""Configs of methods on data sets, and inference that is measured."""

import copy
import functools
import json
import logging
import statistics
import time
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from structured_energy.configs import evaluate_snippet

ROOT = Path(__file__).resolve().parents[1]
# The library of methods of each task, and the table of its data sets.
TASKS = {
    "multi_label": "data_sets",
    "multi_label_text": "multi_label_text_data_sets",
    "hierarchical": "hierarchical_data_sets",
    "tagging": "tagging_data_sets",
    "segmentation": "segmentation_data_sets",
}


@functools.lru_cache(maxsize=None)
def names_in(library: str) -> List[str]:
    """The fields of a file of the library of configs: its data sets, or its methods."""
    snippet = f"std.objectFields(import 'structured_energy/{library}.libsonnet')"
    return json.loads(evaluate_snippet("names", snippet))


def data_sets() -> List[str]:
    """The data sets of all tasks."""
    return [name for table in TASKS.values() for name in names_in(table)]


def task_of(data_set: str) -> str:
    """The task of a data set."""
    return next(task for task, table in TASKS.items() if data_set in names_in(table))


def methods_of(data_set: str) -> List[str]:
    """The methods that have a config for a data set."""
    folder = ROOT / "training_configs" / task_of(data_set) / data_set
    return sorted(path.stem for path in folder.glob("*.jsonnet"))


def check_methods(data_sets: List[str], methods: Optional[List[str]]) -> None:
    """Raises `ValueError` for a method that one of the data sets does not have."""
    for data_set in data_sets:
        known = methods_of(data_set)
        for method in methods or []:
            if method not in known:
                raise ValueError(f"expected a method of {data_set}, one of {known}, got '{method}'")


def config_of(
    data_set: str,
    method: str,
    seed: Optional[int] = None,
    hyper_parameters: Optional[Dict[str, Any]] = None,
    table: Optional[str] = None,
) -> Dict[str, Any]:
    """The shipped config of a method on a data set; where hyper-parameters are given, they stand in
    place of those that it was tuned to. `table` is the file of the library with the data set, by
    default that of its task."""
    tuned = (
        "" if hyper_parameters is None else f"+ {{ tuned: {{}} }} + {json.dumps(hyper_parameters)}"
    )
    task = task_of(data_set)
    snippet = (
        f"(import 'structured_energy/{task}.libsonnet').{method}("
        f"(import 'structured_energy/{table or TASKS[task]}.libsonnet').{data_set} {tuned})"
    )
    config = json.loads(evaluate_snippet(f"{data_set}/{method}", snippet))
    if seed is not None:
        config.update(random_seed=seed, numpy_seed=seed, pytorch_seed=seed)
    return config


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


def built(config: Dict[str, Any], folder: str) -> Any:
    """The training of a config in a folder, AllenNLP's `TrainModel`, with its data read."""
    from allennlp.commands.train import TrainModel
    from allennlp.common import Params

    return TrainModel.from_params(
        Params(copy.deepcopy(config)), serialization_dir=folder, local_rank=0, batch_weight_key=""
    )


def check_device(device: Any) -> None:
    """Raises `OSError` for a CUDA device where there is none."""
    import torch

    if device.type == "cuda" and not torch.cuda.is_available():
        raise OSError(f"Expected a device for --device {device}, got none; try cpu.")


def clock_seconds(action: Callable[[], object], device: Any = None) -> float:
    """The seconds of a clock that an action takes, with the work of a CUDA device."""
    import torch

    synchronize = device is not None and device.type == "cuda"
    if synchronize:
        torch.cuda.synchronize()
    start = time.perf_counter()
    action()
    if synchronize:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def cpu_seconds(action: Callable[[], object]) -> float:
    """The seconds of the processor that an action takes: unlike those of a clock, they do not count
    the work of other processes on the same machine."""
    start = time.process_time()
    action()
    return time.process_time() - start


class Compared(NamedTuple):
    """The seconds of the processor that two sides took for the same work, in turns."""

    ours: List[float]
    other: List[float]

    @property
    def ratios(self) -> List[float]:
        """How many times as fast as the other side ours was, in each turn, in order of size."""
        return sorted(other / ours for ours, other in zip(self.ours, self.other, strict=True))

    def cells(self) -> List[str]:
        """The cells of a table: the medians of the seconds of both sides, the median ratio, and
        the smallest and largest one."""
        ratios = self.ratios
        return [
            f"{statistics.median(self.ours):.3f}",
            f"{statistics.median(self.other):.3f}",
            f"{statistics.median(ratios):.2f}",
            f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        ]


def on_one_core() -> None:
    """For a script that measures: one thread, no warnings, no log lines, and no subnormal numbers,
    as in training."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
