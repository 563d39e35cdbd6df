"""What a run has written of itself, epoch by epoch."""

import json
import logging
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

logger = logging.getLogger(__name__)

PARTS = ("training", "validation")
_OF_THE_MACHINE = re.compile(r"worker_\d+_memory_MB|gpu_\d+_memory_MB|duration")


def by_part(metrics: Dict[str, Any]) -> Dict[str, Dict[str, float]]:
    """The values of the tree, the task metrics and the losses in the metrics of an epoch, by part
    and dotted name.

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
    """A value over time: the epochs at which there is one, and the values."""

    epochs: List[int]
    values: List[float]


class History(NamedTuple):
    """The epochs of a run, finished, killed or still going on.

    # Fields

    folder : of the run.
    curves : by dotted name and part (`training`, `validation`), in the order of the files.
    best_epoch : whose weights are kept so far; `None` without validation data.
    config : of the run.
    """

    folder: Path
    curves: Dict[str, Dict[str, Curve]]
    best_epoch: Optional[int]
    config: Dict[str, Any]

    @property
    def metric(self) -> str:
        """The name of the value by which the best epoch is chosen."""
        return self._chosen.lstrip("+-")

    @property
    def lower_is_better(self) -> bool:
        """Whether the best epoch has the lowest of these values."""
        return self._chosen.startswith("-")

    @property
    def _chosen(self) -> str:
        chosen = self.config.get("trainer", {}).get("validation_metric", "-loss")
        return chosen if isinstance(chosen, str) else chosen[0]


def read_config(folder: Path) -> Dict[str, Any]:
    """The config of a run.

    # Raises

    `ValueError` for a folder that is not that of a run.
    """
    config = Path(folder) / "config.json"
    if not config.exists():
        raise ValueError(
            f"Expected the folder of a run of 'allennlp train', with a config.json, got '{folder}'."
        )
    return json.loads(config.read_text())


def read_metrics(folder: Path) -> Iterator[Tuple[int, Dict[str, Any]]]:
    """The epochs of a run that have ended, each with what `metrics_epoch_N.json` says; one after
    another, since a long run has more than should be held at once.

    A file that was cut off, in a run that was killed, is left out with a warning.

    # Raises

    `ValueError` where no epoch has ended.
    """
    files = {
        int(match[1]): path
        for path in Path(folder).glob("metrics_epoch_*.json")
        if (match := re.fullmatch(r"metrics_epoch_(\d+)\.json", path.name))
    }
    found = False
    for epoch, path in sorted(files.items()):
        try:
            metrics = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            logger.warning("%s is not whole, and left out: %s", path, error)
            continue
        found = True
        yield epoch, metrics
    if not found:
        raise ValueError(
            f"Expected a run with at least one epoch that has ended, got none in '{folder}'; wait "
            "for metrics_epoch_0.json."
        )


def read_history(folder: Path) -> History:
    """The history of a run.

    # Raises

    `ValueError` where no epoch has ended, or the folder is not that of a run.
    """
    config = read_config(folder)
    curves: Dict[str, Dict[str, Curve]] = {}
    best_epoch = None
    for epoch, metrics in read_metrics(folder):
        best_epoch = metrics.get("best_epoch", best_epoch)
        for part, values in by_part(metrics).items():
            for name, value in values.items():
                curve = curves.setdefault(name, {}).setdefault(part, Curve([], []))
                curve.epochs.append(epoch)
                curve.values.append(float(value))
    return History(Path(folder), curves, best_epoch, config)
