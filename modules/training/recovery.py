"""Recovery of a run: state that AllenNLP's checkpoints lack, and runs that are already complete."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

import torch
from allennlp.data import DataLoader
from allennlp.nn.util import move_to_device
from allennlp.training import GradientDescentTrainer

from .epoch_metrics import EpochMetrics
from .joint_optimizer import AccumulatedGradients
from .random_state import RandomState

logger = logging.getLogger(__name__)


class WorkerState(NamedTuple):
    """The state that differs between the workers of a run."""

    random: RandomState
    metrics: EpochMetrics
    gradients: AccumulatedGradients

    @classmethod
    def of(cls, trainer: GradientDescentTrainer, data_loader: DataLoader) -> "WorkerState":
        """Return the state of the worker of a trainer before its first epoch."""
        return cls(
            RandomState(trainer.cuda_device, data_loader),
            EpochMetrics(trainer.model, trainer.cuda_device),
            AccumulatedGradients(trainer.optimizer),
        )

    def state_dict(self, between_epochs: bool) -> Dict[str, Any]:
        """Return the state on the CPU; `between_epochs` says that the next batch begins an
        epoch."""
        state = {
            "random": self.random.state_dict(between_epochs),
            "metrics": self.metrics.state_dict(),
            "gradients": self.gradients.state_dict(),
        }
        return move_to_device(state, torch.device("cpu"))

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the state of a checkpoint."""
        self.random.load_state_dict(state_dict["random"])
        self.metrics.load_state_dict(state_dict["metrics"])
        self.gradients.load_state_dict(state_dict["gradients"])


def epochs_to_train(trainer: GradientDescentTrainer) -> int:
    """Return the number of epochs of a run, which ends with its checkpoint if patience had run out.

    AllenNLP checks patience only after an epoch, and would train one more.
    """
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
    """Return the metrics of an epoch from the serialization directory of its run."""
    assert folder is not None  # there is a checkpoint
    return json.loads((Path(folder) / f"metrics_epoch_{epoch}.json").read_text())
