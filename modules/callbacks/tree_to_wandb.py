"""The tree of logged values in Weights & Biases."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, get_args

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..atomic_files import write_atomically
from ..compatibility import ResultCallback
from .tree_callback import Reading, TreeCallback, Unit

logger = logging.getLogger(__name__)

Mode = Literal["online", "offline", "disabled"]
SETTINGS = {
    # Seconds after which a failing network no longer delays the end of training.
    "finish_timeout": 600.0,
    # Seconds between writes of an offline run: a killed one loses at most these.
    "x_transaction_log_flush_interval": 1.0,
}


@TrainerCallback.register("tree-to-wandb")
class TreeToWandbCallback(TreeCallback, ResultCallback):
    """Write the tree, and the config of the run, to Weights & Biases.

    It needs the package `wandb`, 0.31 or newer.

    A number is `training/NAME` or `validation/NAME`, so that each part is a section of charts. An
    array has a histogram of that name, and one of two dimensions, or of three with 1 or 3 channels
    last, also has a picture `training_images/NAME`, in which 0 is black and 1 white. The time of
    all charts is `epoch` or `step`, by `unit`.

    The summary of the run has the metrics of the best epoch so far as `best_validation/NAME`, with
    `best_epoch`, and after training those of the test data as `test/NAME`. `allennlp train` closes
    the run once it has evaluated the test data; a trainer that is used by itself closes it at the
    end of training.

    The files of wandb are in `wandb` in the folder of the run; `wandb sync` sends offline ones, the
    folders of one run in their order. If W&B cannot be reached when training begins, the run is
    written offline; if it fails later, training continues, and its end waits at most ten minutes.

    A resumed run is the same run in W&B; its id is in `wandb_run.json`. W&B cannot remove rows:
    those after the checkpoint stay, and are not written again. A killed offline run loses about its
    last second.

    # Parameters

    project, name, group : `str`, optional
        As in W&B. Their defaults, and all other settings, are those of its environment variables,
        such as `WANDB_PROJECT`, `WANDB_ENTITY` and `WANDB_NOTES`.
    tags : `List[str]`, optional
        The tags of the run, by which W&B filters.
    mode : `"online"`, `"offline"` or `"disabled"`, optional
        The mode; by default that of `WANDB_MODE`.

    # Raises

    `ConfigurationError` for an unknown mode, a missing package, or an open run of W&B.
    """

    def __init__(
        self,
        serialization_dir: str,
        every: int = 1,
        unit: Unit = "epochs",
        keys: Optional[List[str]] = None,
        project: Optional[str] = None,
        name: Optional[str] = None,
        group: Optional[str] = None,
        tags: Optional[List[str]] = None,
        mode: Optional[Mode] = None,
    ) -> None:
        super().__init__(serialization_dir, every, unit, keys)
        if mode not in (None, *get_args(Mode)):
            raise ConfigurationError(
                "Expected the mode 'online', 'offline' or 'disabled' in the callback "
                f"'tree-to-wandb', got '{mode}'; leave it out for that of WANDB_MODE."
            )
        self.mode = mode
        self._labels = {"project": project, "name": name, "group": group, "tags": tags}
        self._path = Path(serialization_dir) / "wandb_run.json"
        self._wandb: Any = None
        self._run: Any = None
        self._first_row = 0

    def begin(self, epoch: int, step: int) -> None:
        """Open a new run, or the run that is resumed."""
        self._wandb = _wandb()
        if self._wandb.run is not None:
            raise ConfigurationError(
                "Expected no open run of W&B for the callback 'tree-to-wandb', got "
                f"'{self._wandb.run.id}'; keep one callback that writes to W&B."
            )
        before = _read(self._path) or {"id": None, "last_row": -1}
        try:
            self._run = self._open(before["id"], self.mode)
        except self._wandb.errors.CommError as error:
            logger.warning("W&B cannot be reached, the run is written offline: %s", error)
            self._run = self._open(before["id"], "offline")
        # Online, the server knows its last row; offline, only our file does.
        offline = self._run.offline
        self._first_row = before["last_row"] + 1 if offline else self._run.starting_step
        self._run.define_metric("*", step_metric=self.unit.removesuffix("s"))
        self._remember(before["last_row"])

    def write(self, reading: Reading) -> None:
        """Add a row, unless it was written before a kill."""
        row = self._row(reading)
        if row < self._first_row:
            return
        values: Dict[str, Any] = {"epoch": reading.epoch, "step": reading.step}
        for part, scalars in reading.scalars.items():
            values.update({f"{part}/{name}": value for name, value in scalars.items()})
        for part, arrays in reading.arrays.items():
            for name, array in arrays.items():
                finite = array[np.isfinite(array)]
                values[f"{part}/{name}"] = self._wandb.Histogram(finite)
                if array.ndim == 2 or array.ndim == 3 and array.shape[-1] in (1, 3):
                    values[f"{part}_images/{name}"] = self._wandb.Image(_pixels(array))
        self._run.log(values, step=row, commit=True)
        self._remember(row)

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Add the row of the epoch, and put the best one so far into the summary."""
        super().on_epoch(trainer, metrics, epoch, is_primary)
        if is_primary:
            self._summarize(metrics)

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """Close the run, unless training went well and the test data are evaluated next."""
        if is_primary and (metrics is None or not self.awaits_result):
            self._close(metrics)

    def on_result(self, trainer: GradientDescentTrainer, metrics: Optional[Dict[str, Any]]) -> None:
        """Put the metrics of the best epoch and of the test data into the summary, and close."""
        if self._run is None:  # training failed and closed the run
            return
        if metrics is not None:
            self._summarize(metrics)
        self._close(metrics)

    def _summarize(self, metrics: Dict[str, Any]) -> None:
        values: Dict[str, Any] = {}
        for part in ("best_validation", "test"):
            of_part = {
                key.removeprefix(f"{part}_"): value
                for key, value in metrics.items()
                if key.startswith(f"{part}_")
            }
            values.update(
                {f"{part}/{name}": value for name, value in self._chosen(of_part).items()}
            )
        if metrics.get("best_epoch") is not None:
            values["best_epoch"] = metrics["best_epoch"]
        self._run.summary.update(values)

    def _close(self, metrics: Optional[Dict[str, Any]]) -> None:
        """End the run; W&B shows it as failed where there are no metrics."""
        self._run.finish(exit_code=int(metrics is None))
        self._run = None

    def _open(self, run_id: Optional[str], mode: Optional[Mode]) -> Any:
        return self._wandb.init(
            id=run_id,
            resume="allow",
            mode=mode,
            dir=self.serialization_dir,
            config=_read(Path(self.serialization_dir) / "config.json"),
            settings=SETTINGS,
            **self._labels,
        )

    def _remember(self, last_row: int) -> None:
        if not self._run.disabled:
            write_atomically(self._path, json.dumps({"id": self._run.id, "last_row": last_row}))

    def _row(self, reading: Reading) -> int:
        """Return the step of W&B, which grows from row to row: the epoch, or twice the number of
        batches, so that a whole epoch has a row after that of its last batch."""
        if self.unit == "epochs":
            return reading.epoch
        return 2 * reading.step + ("validation" in reading.scalars)


def _wandb() -> Any:
    try:
        import wandb
    except ImportError:
        raise ConfigurationError(
            "Expected the package wandb for the callback 'tree-to-wandb', got none; install it "
            "with `pip install wandb`, or leave the callback out."
        ) from None
    return wandb


def _pixels(array: np.ndarray) -> np.ndarray:
    return (np.nan_to_num(array).clip(0, 1) * 255).astype(np.uint8)


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else None
