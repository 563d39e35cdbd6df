"""The metrics of an epoch, and of a run that has none left to train."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from allennlp.data import TensorDict
from allennlp.nn.util import dist_reduce_sum, move_to_device
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..models import StructuredEnergyModel
from .metric_names import check_metric_names

logger = logging.getLogger(__name__)


class EpochMetrics(TrainerCallback):
    """What an epoch has measured so far, for a checkpoint within it.

    AllenNLP's loop has the sums of the losses in variables of its own, which a run that goes on
    within an epoch has lost: they are summed here as well, and the metrics told after each batch,
    and of the epoch, are made of these. It also gathers the metrics of all epochs in one
    dictionary: a value of an epoch before, which the next one does not have, is not told as its
    own.
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._metrics: Dict[str, Any] = {}
        self._losses: Dict[str, float] = {}

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Check the names of metrics before the first epoch."""
        super().on_start(trainer, is_primary)
        check_metric_names(trainer)

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
        """Adds the losses of the batch; those of the epoch so far are in the metrics."""
        if not is_training:
            return
        for name in ("loss", "reg_loss"):
            if f"batch_{name}" in batch_metrics:
                total = self._losses.get(name, 0.0) + batch_metrics[f"batch_{name}"]
                self._losses[name] = total
                batch_metrics[name] = total / batch_number

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Takes the dictionary itself."""
        self._metrics = metrics

    def forget(self) -> None:
        """Before an epoch: what was measured in the one before goes."""
        for name in [name for name in self._metrics if name.startswith("training_")]:
            del self._metrics[name]

    def of_epoch(self, trainer: GradientDescentTrainer, metrics: Dict[str, Any]) -> Dict[str, Any]:
        """The metrics of an epoch that was trained, those of AllenNLP made whole."""
        if "loss" not in metrics:  # the checkpoint was after the last batch of the epoch
            metrics = {**trainer.model.get_metrics(reset=True), **metrics}
        batches = dist_reduce_sum(trainer._batches_in_epoch_completed)
        for name, total in self._losses.items():
            metrics[name] = dist_reduce_sum(total) / batches
        self._losses = {}
        return metrics

    def so_far(self, model: StructuredEnergyModel) -> Dict[str, Any]:
        """What this worker has measured since the epoch began."""
        tree = {name: value.state_dict() for name, value in model.logged_values().items()}
        metrics = {name: m.state_dict() for name, m in model.evaluation.metrics.items()}
        return {"losses": dict(self._losses), "tree": tree, "metrics": metrics}

    def go_on(
        self, model: StructuredEnergyModel, state: Dict[str, Any], device: torch.device
    ) -> None:
        """Takes what `so_far` gave."""
        state = move_to_device(state, device)
        self._losses = dict(state["losses"])
        for name, value in model.logged_values().items():
            value.load_state_dict(state["tree"][name])
        for name, metric in model.evaluation.metrics.items():
            metric.load_state_dict(state["metrics"][name])


def epochs_to_train(trainer: GradientDescentTrainer) -> int:
    """Return the number of epochs of a run: those of its checkpoint, where patience ran out after
    them. AllenNLP checks patience only after an epoch, and would train one more."""
    completed = trainer._start_after_epochs_completed
    within = trainer._start_after_batches_in_epoch_completed
    if completed and not within and trainer._metric_tracker.should_stop_early():
        if trainer._primary and completed < trainer._num_epochs:
            logger.warning(
                "Patience ran out after %d of %d epochs, so no more are trained.",
                completed,
                trainer._num_epochs,
            )
        return completed
    return trainer._num_epochs


def metrics_of_epoch(folder: Optional[str], epoch: int) -> Dict[str, Any]:
    """What the run wrote of an epoch; AllenNLP knows nothing of it where none was left to train."""
    assert folder is not None  # there is a checkpoint
    return json.loads((Path(folder) / f"metrics_epoch_{epoch}.json").read_text())
