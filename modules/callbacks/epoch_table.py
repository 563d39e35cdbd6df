"""The default output of a run on the console: its folder, a line for each epoch, its result."""

import logging
import os
import shutil
import time
from datetime import timedelta
from typing import Any, Dict, List, Optional

from allennlp.training import GradientDescentTrainer, gradient_descent_trainer

from ..compatibility import ResultCallback, describe_with
from ..reporting import by_part, metric_rows, number, show
from ..training import callbacks_of
from .console_tree import ConsoleTreeCallback

logger = logging.getLogger(__name__)

VALUE = 10  # characters of the longest number
LEGEND = "Metrics of the validation data; * is the best epoch so far."


class EpochTable(ResultCallback):
    """Prints a line for each epoch, as wide as the terminal allows, and a table of the result.

    A line has the losses, the validation metric, as many other metrics of the task as fit, and the
    seconds since the previous line. An epoch that `console-tree` shows has no line. AllenNLP
    adds this callback to each run, unless `enable_default_callbacks` is false.
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._columns: Optional[List[str]] = None  # metrics, known after the first epoch
        self._since = 0.0

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Print where the run is, and where it resumes."""
        super().on_start(trainer, is_primary)
        self._since = time.monotonic()
        if not is_primary:
            return
        describe_with(_tracked(trainer))
        if self.serialization_dir is not None:
            log = "out_worker0.log" if trainer._distributed else "out.log"
            logger.info("The run is in %s, its log in %s.", self.serialization_dir, log)
        epochs = trainer._start_after_epochs_completed
        batches = trainer._start_after_batches_in_epoch_completed
        if epochs or batches:
            within = f" and {batches} batches" if batches else ""
            logger.info("Resuming after %d epochs%s.", epochs, within)

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Print the line of an epoch."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        trees = (each for each in callbacks_of(trainer) if isinstance(each, ConsoleTreeCallback))
        if not is_primary or any(tree.is_due(epoch) for tree in trees):
            return
        values = _values(metrics)
        if self._columns is None:
            self._columns = _fitting_columns(values, _tracked(trainer))
            names = "".join(f"  {name:>{VALUE}}" for name in self._columns)
            logger.info("%s\n%9s%s  %8s", LEGEND, "epoch", names, "time")
        cells = (values.get(name) for name in self._columns)
        shown = "".join(
            f"  {'' if value is None else number(value):>{max(VALUE, len(name))}}"
            for name, value in zip(self._columns, cells, strict=True)
        )
        best = "*" if epoch == metrics.get("best_epoch") else ""
        place = f"{epoch}/{trainer._num_epochs - 1}"
        logger.info("%s", f"{place:>9}{shown}  {_duration(seconds):>8} {best}".rstrip())

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """Print why the training ended early, and how to resume a run that has stopped."""
        if is_primary and metrics is None and trainer._epochs_completed:
            logger.info(
                "Training stopped after %d epoch%s; --recover resumes it.",
                trainer._epochs_completed,
                "" if trainer._epochs_completed == 1 else "s",
            )
        elif is_primary and epoch is not None and epoch < trainer._num_epochs - 1:
            tracker = trainer._metric_tracker
            if tracker.should_stop_early():
                names = [
                    "validation loss" if name == "loss" else name for name in _tracked(trainer)
                ]
                logger.info(
                    "Stopped after epoch %d: %s was no better for %d epoch%s.",
                    epoch,
                    " + ".join(names),
                    tracker._epochs_with_no_improvement,
                    "" if tracker._epochs_with_no_improvement == 1 else "s",
                )

    def on_result(self, trainer: GradientDescentTrainer, metrics: Optional[Dict[str, Any]]) -> None:
        """Print the metrics of the best epoch and of the test data."""
        if metrics is None:
            return
        parts = {
            f"validation, epoch {metrics.get('best_epoch')}": "best_validation_",
            "test": "test_",
        }
        columns = {
            title: {
                key.removeprefix(start): value
                for key, value in metrics.items()
                if key.startswith(start)
            }
            for title, start in parts.items()
        }
        if not any(columns.values()):
            columns = {"training": by_part(metrics)["training"]}
        show(metric_rows(columns))
        logger.info("Metrics: %s", os.path.join(self.serialization_dir, "metrics.json"))
        logger.info("Model: %s", os.path.join(self.serialization_dir, "model.tar.gz"))


def _tracked(trainer: GradientDescentTrainer) -> List[str]:
    return [name for _, name in trainer._metric_tracker.tracked_metrics]


def _values(metrics: Dict[str, Any]) -> Dict[str, float]:
    """Return the losses, then the other values of validation, or else of training."""
    parts = by_part(metrics)
    values = {}
    for part, name in (("training", "loss"), ("validation", "validation loss")):
        if "loss" in parts[part]:
            values[name] = parts[part]["loss"]
    rest = parts["validation"] or parts["training"]
    return {**values, **{name: value for name, value in rest.items() if name != "loss"}}


def _fitting_columns(values: Dict[str, float], tracked: List[str]) -> List[str]:
    """Return the names that fit into the terminal: the losses, the validation metric, the others
    of the task. Where not even these have room, the validation metric comes before its loss."""
    losses = ["loss", "validation loss"]
    chosen = ["validation loss" if name == "loss" else name for name in tracked]
    of_task = [name for name in values if "." not in name]
    room = shutil.get_terminal_size().columns - len("  999/999    100.0 s *")
    fitting = set()
    for name in dict.fromkeys(["loss", *chosen, "validation loss", *of_task]):
        if name in values:
            room -= 2 + max(VALUE, len(name))
            if room < 0:
                break
            fitting.add(name)
    return [name for name in dict.fromkeys([*losses, *chosen, *of_task]) if name in fitting]


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else str(timedelta(seconds=int(seconds)))


gradient_descent_trainer.DEFAULT_CALLBACKS = (
    *gradient_descent_trainer.DEFAULT_CALLBACKS,
    EpochTable,
)
