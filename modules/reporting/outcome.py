"""The metrics that runs ended with, and which runs are of one method."""

import hashlib
import json
import os
import re
from collections import deque
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Type

from allennlp.training.metrics import Metric

from ..metrics import StructuredMetric
from .history import read_config, read_metrics

SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")
# The parts of the data that metrics are compared on, and how their names begin in the files.
COMPARED = {"test": "test_", "validation": "best_validation_"}


class Outcome(NamedTuple):
    """What came of a run.

    # Fields

    folder : of the run.
    config : as AllenNLP wrote it.
    metrics : of the best epoch, by part (`test`, `validation`) and dotted name.
    finished : whether the run has ended; otherwise the metrics are those so far.
    """

    folder: Path
    config: Dict[str, Any]
    metrics: Dict[str, Dict[str, float]]
    finished: bool

    @property
    def seed(self) -> str:
        """The seed, or the seeds where they are several."""
        return "/".join(dict.fromkeys(str(self.config.get(key, "default")) for key in SEEDS))

    @property
    def digest(self) -> str:
        """Of the config without seeds: the same for all runs of a method."""
        rest = {key: value for key, value in self.config.items() if key not in SEEDS}
        return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:10]

    @property
    def data(self) -> str:
        """The data that it is judged on."""
        paths = (self.config.get(f"{part}_data_path") for part in ("test", "validation", "train"))
        return str(next((path for path in paths if path is not None), "no data"))

    @property
    def task_metrics(self) -> Dict[str, Type[StructuredMetric]]:
        """The metrics of the task, whose values are shares of 1, by the name in the files."""
        given = self.config.get("model", {}).get("metrics") or []
        types = [metric if isinstance(metric, str) else metric["type"] for metric in given]
        kinds: List[Any] = [Metric.by_name(name) for name in types]
        return {kind.name: kind for kind in kinds}


def find_runs(paths: Sequence[Path]) -> List[Path]:
    """The folders of runs among the paths and below them, each once.

    # Raises

    `ValueError` for a path that is no run and has none below it.
    """
    found: Dict[Path, None] = {}
    for path in paths:
        if (path / "config.json").exists():
            found[path] = None
            continue
        below = sorted(config.parent for config in path.rglob("config.json"))
        if not below:
            raise ValueError(
                f"Expected the folder of a run of 'allennlp train', or one that holds such "
                f"folders, got '{path}'."
            )
        found.update(dict.fromkeys(below))
    return list(found)


def read_outcome(folder: Path) -> Outcome:
    """What came of a run so far.

    # Raises

    `ValueError` for what is no run, or has no epoch that has ended.
    """
    config = read_config(folder)
    path = folder / "metrics.json"
    if path.exists():
        metrics = json.loads(path.read_text())
    else:
        ((_, metrics),) = deque(read_metrics(folder), maxlen=1)
    return Outcome(
        folder,
        config,
        {
            part: {
                key[len(start) :]: float(value)
                for key, value in metrics.items()
                if key.startswith(start) and isinstance(value, (int, float))
            }
            for part, start in COMPARED.items()
        },
        finished=path.exists(),
    )


class Method(NamedTuple):
    """The runs of one config on the same data, each with its seed."""

    name: str
    runs: List[Outcome]

    def values(self, part: str, metric: str) -> List[float]:
        """The metric of each run that has it."""
        found = (run.metrics[part].get(metric) for run in self.runs)
        return [value for value in found if value is not None]


def methods_of(runs: Sequence[Outcome]) -> List[Method]:
    """The runs in groups that differ in their seeds alone, named by what tells their folders apart.

    `runs/bibtex/spen/seed_0` and `runs/bibtex/spen/seed_1` beside `runs/bibtex/dvn/seed_0` are the
    methods `spen` and `dvn`.
    """
    groups: Dict[str, List[Outcome]] = {}
    for run in runs:
        groups.setdefault(run.digest, []).append(run)
    folders = [[str(run.folder.resolve()) for run in group] for group in groups.values()]
    stems = [_stem(group) for group in folders]
    paths = [
        stem if stems.count(stem) == 1 else group[0]
        for stem, group in zip(stems, folders, strict=True)
    ]
    above = os.path.commonpath(paths) if len(paths) > 1 else os.path.dirname(paths[0])
    return [
        Method(os.path.relpath(path, above), group)
        for path, group in zip(paths, groups.values(), strict=True)
    ]


def _stem(folders: List[str]) -> str:
    """What the folders of runs have in common, without what says the seed.

    >>> _stem(["/runs/spen/seed_0", "/runs/spen/seed_1"]), _stem(["/runs/spen-3"])
    ('/runs/spen', '/runs/spen')
    """
    common = folders[0] if len(folders) == 1 else os.path.commonprefix(folders)
    return re.sub(r"[/_.-]+(seed)?[/_.-]*\d*$", "", common)
