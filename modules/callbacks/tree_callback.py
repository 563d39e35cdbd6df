"""The base of callbacks that record the tree of logged values in training."""

from abc import ABC, abstractmethod
from fnmatch import fnmatchcase
from typing import Any, Dict, List, Literal, NamedTuple, Optional

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..logging import LoggedArray
from ..reporting import PARTS, by_part
from ..training.metric_names import value_names
from .trained_model import check_model

Unit = Literal["epochs", "steps"]
# The prefixes of the names of the trainer's own values.
OF_THE_TRAINER = ("batch_", "gpu_", "reg_loss", "worker_")


class Reading(NamedTuple):
    """The values of the tree at one time.

    # Fields

    epoch : from 0.
    step : the number of batches trained on, over all epochs.
    scalars : numbers by part (`training`, `validation`) and dotted name, the task metrics and the
        trainer's loss among them.
    arrays : the same for arrays.
    """

    epoch: int
    step: int
    scalars: Dict[str, Dict[str, float]]
    arrays: Dict[str, Dict[str, np.ndarray]]


class TreeCallback(TrainerCallback, ABC):
    """Read the tree every n epochs or steps; a subclass fills `write`.

    After an epoch the values are those of the whole epoch, training and validation; in distributed
    training they are reduced over workers. After a step they are those of the epoch so far, in
    training, of the first worker; those of the validation come with the epoch. Reading resets
    nothing and draws no random number, so it does not change the training.

    # Parameters

    every : `int`
        The number of epochs or steps between readings.
    unit : `"epochs"` or `"steps"`
        The unit of `every`; a step is a batch.
    keys : `List[str]`, optional
        Dotted names, or patterns with `*` and `?`: the values to read. By default all are read.

    # Raises

    `ConfigurationError` for an `every` below 1, an unknown unit, or another model than
    `structured-energy`.
    """

    def __init__(
        self,
        serialization_dir: str,
        every: int = 1,
        unit: Unit = "epochs",
        keys: Optional[List[str]] = None,
    ) -> None:
        super().__init__(serialization_dir)
        if every < 1 or unit not in ("epochs", "steps"):
            raise ConfigurationError(
                "Expected every of at least 1 and the unit 'epochs' or 'steps' in the callback "
                f"{type(self).__name__}, got {every} and '{unit}'."
            )
        self.every = every
        self.unit = unit
        self.keys = ["*"] if keys is None else keys

    @abstractmethod
    def write(self, reading: Reading) -> None:
        """Record the reading; only called in the first worker."""

    def begin(self, epoch: int, step: int) -> None:
        """Prepare for training, in the first worker.

        A resumed training continues after `epoch` epochs and `step` batches of the next one; both
        are 0 for a new one.
        """
        return

    def end(self) -> None:
        """Finish after training, in the first worker, also after one that failed."""
        return

    def is_due(self, epoch: int) -> bool:
        """Return whether values are read after this epoch."""
        return self.unit == "steps" or (epoch + 1) % self.every == 0

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Check the model and the keys, and prepare for training."""
        super().on_start(trainer, is_primary)
        check_model(trainer, type(self).__name__)
        names = value_names(trainer.model)
        for key in self.keys:
            if not set(key) & set("*?[") and not key.startswith(OF_THE_TRAINER):
                names.check(key, f"keys of the callback {type(self).__name__}", arrays=True)
        if is_primary:
            epochs = trainer._start_after_epochs_completed
            self.begin(epochs, trainer._start_after_batches_in_epoch_completed)

    def on_batch(
        self,
        trainer: GradientDescentTrainer,
        batch_inputs: List[TensorDict],
        batch_outputs: List[Dict[str, Any]],
        batch_metrics: Dict[str, Any],
        epoch: int,
        batch_number: int,
        is_training: bool,
        is_primary: bool = True,
        batch_grad_norm: Optional[float] = None,
    ) -> None:
        """Read the tree if it is due."""
        step = trainer._total_batches_completed
        if is_primary and is_training and self.unit == "steps" and step % self.every == 0:
            arrays = trainer.model.get_all(of_type=LoggedArray)
            self.write(
                Reading(
                    epoch,
                    step,
                    {"training": self._chosen(batch_metrics)},
                    {"training": self._chosen(arrays)},
                )
            )

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Read the tree if it is due."""
        if not is_primary or not self.is_due(epoch):
            return
        parts = PARTS if self.unit == "epochs" else ("validation",)
        scalars = {
            part: self._chosen(values) for part, values in by_part(metrics).items() if part in parts
        }
        arrays = {part: self._chosen(trainer.model.arrays.get(part, {})) for part in parts}
        self.write(Reading(epoch, trainer._total_batches_completed, scalars, arrays))

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """Finish after training."""
        if is_primary:
            self.end()

    def _chosen(self, values: Dict[str, Any]) -> Dict[str, Any]:
        return {
            name: value
            for name, value in values.items()
            if any(fnmatchcase(name, pattern) for pattern in self.keys)
        }
