"""What the folder of a run says about it."""

import hashlib
import json
import logging
import re
from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import (
    Any,
    Collection,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
)

from allennlp.training.metrics import Metric

from ..metrics import RankingMetric, StructuredMetric

logger = logging.getLogger(__name__)

PARTS = ("training", "validation")
# The seeds of a config, and those that AllenNLP takes where it has none.
_DEFAULT_SEEDS = {"random_seed": 13370, "numpy_seed": 1337, "pytorch_seed": 133}
SEEDS = tuple(_DEFAULT_SEEDS)
# The parts of the data on which runs are compared, and the prefixes of their metrics in the files.
COMPARED = {"test": "test_", "validation": "best_validation_"}
DECODERS = "decoders.json"  # other decoders of a run, which `allennlp decode` fitted
BEST = "best"  # the decoder of a run that is best on the validation data
_OF_THE_MACHINE = re.compile(r"worker_\d+_memory_MB|gpu_\d+_memory_MB|duration")


def by_part(metrics: Dict[str, Any]) -> Dict[str, Dict[str, float]]:
    """Return the logged values, task metrics and losses of an epoch by part and dotted name.

    >>> by_part({"epoch": 3, "training_loss": 2.0, "training_duration": "0:00:01"})
    {'training': {'loss': 2.0}, 'validation': {}}
    """
    return {
        part: {
            name: value
            for key, value in metrics.items()
            if key.startswith(f"{part}_")
            and not _OF_THE_MACHINE.fullmatch(name := key[len(part) + 1 :])
        }
        for part in PARTS
    }


class Curve(NamedTuple):
    """A value over time: its epochs, and its value in each of them."""

    epochs: List[int]
    values: List[float]


@dataclass(frozen=True)
class Run:
    """A run of `allennlp train` that has finished, was killed, or is still training.

    # Fields

    folder : of the run.
    config : as AllenNLP wrote it.
    metrics : of the best epoch so far, by part (`test`, `validation`) and dotted name.
    best_epoch : the epoch whose weights are kept; `None` without validation data.
    finished : whether the run has written its final metrics.
    decoder : the name of another decoder, of which the metrics are; `None` for that of the config.
    chosen_by : the name by which that decoder was asked for, its own or `best`.
    """

    folder: Path
    config: Dict[str, Any]
    metrics: Dict[str, Dict[str, float]]
    best_epoch: Optional[int]
    finished: bool
    decoder: Optional[str] = None
    chosen_by: Optional[str] = None

    @classmethod
    def read(cls, folder: Path) -> "Run":
        """Read the run of a folder.

        # Raises

        `ValueError` for a folder that is not that of a run, and before the first epoch has ended.
        """
        folder = Path(folder)
        config, final = folder / "config.json", folder / "metrics.json"
        if not config.exists():
            raise ValueError(
                "Expected the folder of a run of 'allennlp train', with a config.json, got "
                f"'{folder}'."
            )
        if final.exists():
            metrics = json.loads(final.read_text())
        else:
            ((_, metrics),) = deque(_read_epochs(folder), maxlen=1)
        return cls(
            folder,
            json.loads(config.read_text()),
            {
                part: {
                    key[len(prefix) :]: float(value)
                    for key, value in metrics.items()
                    if key.startswith(prefix) and isinstance(value, (int, float))
                }
                for part, prefix in COMPARED.items()
            },
            metrics.get("best_epoch"),
            final.exists(),
        )

    def decoders(self) -> Dict[str, Dict[str, Any]]:
        """Return the entries of `decoders.json` by the names of the decoders.

        # Raises

        `ValueError` where there is no such file.
        """
        path = self.folder / DECODERS
        if not path.exists():
            raise ValueError(
                f"Expected decoders that are fitted for the run '{self.folder}', got no {DECODERS} "
                "in it; `allennlp decode` writes it."
            )
        return json.loads(path.read_text())

    def with_decoder(self, name: str) -> "Run":
        """Return the run with the metrics of another decoder; `best` is the decoder with the best
        validation metric of the run.

        # Raises

        `ValueError` for a decoder that is not fitted.
        """
        entries = self.decoders()
        chosen = self.best_decoder(entries) if name == BEST else name
        if chosen not in entries:
            raise ValueError(
                f"Expected a decoder that is fitted for the run '{self.folder}', one of "
                f"{sorted(entries)} or '{BEST}', got '{name}'; `allennlp decode` fits it."
            )
        metrics = {part: entries[chosen].get(part, {}) for part in COMPARED}
        return replace(self, metrics=metrics, decoder=chosen, chosen_by=name)

    def best_decoder(self, names: Collection[str]) -> str:
        """Return the decoder with the best validation metric of the run among those of these names,
        the first of equal ones.

        # Raises

        `ValueError` where none of them has the metric.
        """
        entries = self.decoders()
        values = {name: entries[name]["validation"].get(self.metric) for name in names}
        known = {name: value for name, value in values.items() if value is not None}
        if not known:
            raise ValueError(
                f"Expected decoders with the validation metric '{self.metric}' of the run "
                f"'{self.folder}', got none."
            )
        sign = -1 if self.lower_is_better else 1
        return max(known, key=lambda name: sign * known[name])

    @cached_property
    def curves(self) -> Dict[str, Dict[str, Curve]]:
        """The values of all epochs, by dotted name and part (`training`, `validation`).

        They are read from the files of the epochs when they are first needed.

        # Raises

        `ValueError` where there are no such files.
        """
        curves: Dict[str, Dict[str, Curve]] = {}
        for epoch, metrics in _read_epochs(self.folder):
            for part, values in by_part(metrics).items():
                for name, value in values.items():
                    curve = curves.setdefault(name, {}).setdefault(part, Curve([], []))
                    curve.epochs.append(epoch)
                    curve.values.append(float(value))
        return curves

    @property
    def metric(self) -> str:
        """The name of the value by which the best epoch is chosen."""
        return self._tracked.lstrip("+-")

    @property
    def lower_is_better(self) -> bool:
        """Whether the best epoch has the lowest of these values."""
        return self._tracked.startswith("-")

    @property
    def _tracked(self) -> str:
        tracked = self.config.get("trainer", {}).get("validation_metric", "-loss")
        return tracked if isinstance(tracked, str) else tracked[0]

    @property
    def seed(self) -> str:
        """The seed of the run; several seeds are joined by a slash."""
        seeds = (self.config.get(key, default) for key, default in _DEFAULT_SEEDS.items())
        return "/".join(dict.fromkeys(map(str, seeds)))

    @property
    def digest(self) -> str:
        """The hash of the config without its seeds: the same for all runs of a method."""
        rest = {key: value for key, value in self.config.items() if key not in SEEDS}
        if self.decoder is not None:
            rest["decoder"] = self.chosen_by
        return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:10]

    def path_of(self, part: str) -> str:
        """Return the path of a part of the data, `data` where the config has none."""
        return str(self.config.get(f"{part}_data_path") or self.data)

    @property
    def data(self) -> str:
        """The path of the data on which the run is compared."""
        paths = (self.config.get(f"{part}_data_path") for part in ("test", "validation", "train"))
        return str(next((path for path in paths if path is not None), "no data"))

    @property
    def task_metrics(self) -> Dict[str, Type[StructuredMetric]]:
        """The metrics of the task, with values in [0, 1], by their names in the files."""
        found: Dict[str, Type[StructuredMetric]] = {}
        for metric in self.config.get("model", {}).get("metrics") or []:
            settings = {"type": metric} if isinstance(metric, str) else metric
            kind: Any = Metric.by_name(settings["type"])
            if issubclass(kind, RankingMetric):
                found[kind.name_at(settings["k"]) if "k" in settings else kind.name_at()] = kind
            else:
                found[kind.name] = kind
        return found


def _read_epochs(folder: Path) -> Iterator[Tuple[int, Dict[str, Any]]]:
    """Yield the finished epochs of a run, each with the content of `metrics_epoch_N.json`.

    They come one at a time, since all of a long run may not fit into memory. An incomplete file of
    a run that was killed is left out with a warning.

    # Raises

    `ValueError` before the first epoch has ended.
    """
    files = {
        int(match[1]): path
        for path in folder.glob("metrics_epoch_*.json")
        if (match := re.fullmatch(r"metrics_epoch_(\d+)\.json", path.name))
    }
    is_empty = True
    for epoch, path in sorted(files.items()):
        try:
            metrics = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            logger.warning("%s is incomplete and is left out: %s", path, error)
            continue
        is_empty = False
        yield epoch, metrics
    if is_empty:
        raise ValueError(
            f"Expected a run with at least one epoch that has ended, got none in '{folder}'; wait "
            "for metrics_epoch_0.json."
        )


def find_runs(paths: Sequence[Path]) -> List[Path]:
    """Return the folders of the runs among and below the paths, each once.

    # Raises

    `ValueError` for a path without a run.
    """
    folders: Dict[Path, None] = {}
    for path in paths:
        if (path / "config.json").exists():
            folders[path] = None
            continue
        below = sorted(config.parent for config in path.rglob("config.json"))
        if not below:
            raise ValueError(
                f"Expected the folder of a run of 'allennlp train', or one that holds such "
                f"folders, got '{path}'."
            )
        folders.update(dict.fromkeys(below))
    return list(folders)
