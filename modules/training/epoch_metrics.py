"""The metrics of the epochs of a run, which a checkpoint within an epoch keeps."""

from typing import Any, Dict, Set

import torch
from allennlp.nn.util import dist_reduce_sum, move_to_device

from ..models import StructuredEnergyModel


class EpochMetrics:
    """Sum the losses of each epoch, and correct the metrics of AllenNLP's trainer.

    AllenNLP's loop keeps the sums of the losses in local variables, which a run that resumes within
    an epoch lacks. It also collects the metrics of all epochs in one dictionary, and so reports the
    values of an earlier epoch for a later one that does not have them. Every method returns a new
    dictionary.
    """

    def __init__(self, model: StructuredEnergyModel, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._losses: Dict[str, float] = {}
        self._names: Set[str] = set()

    def of_batch(self, metrics: Dict[str, Any], batches: int) -> Dict[str, Any]:
        """Add the losses of a batch of training, the last of `batches` in its epoch. Return
        AllenNLP's metrics after that batch with the mean losses of the whole epoch so far."""
        corrected = dict(metrics)
        for name in ("loss", "reg_loss"):
            if f"batch_{name}" in metrics:
                self._losses[name] = self._losses.get(name, 0.0) + metrics[f"batch_{name}"]
                corrected[name] = self._losses[name] / batches
        return corrected

    def of_epoch(self, metrics: Dict[str, Any], batches: int) -> Dict[str, Any]:
        """Return AllenNLP's metrics of an epoch of training with the mean losses over its
        `batches`, and begin the next epoch."""
        if "loss" in metrics:
            corrected = dict(metrics)
        else:  # the run resumed after the last batch of the epoch
            corrected = {**self._model.get_metrics(reset=True), **metrics}
        total = dist_reduce_sum(batches)
        for name, loss in self._losses.items():
            corrected[name] = dist_reduce_sum(loss) / total
        self._losses = {}
        self._names = {"training_duration", *(f"training_{name}" for name in corrected)}
        return corrected

    def of_run(self, metrics: Dict[str, Any]) -> Dict[str, Any]:
        """Return AllenNLP's metrics of the run without the values of training that the last epoch
        does not have."""
        return {
            name: value
            for name, value in metrics.items()
            if name in self._names or not name.startswith("training_")
        }

    def state_dict(self) -> Dict[str, Any]:
        """Return the measurements of this worker since the epoch began."""
        tree = {name: value.state_dict() for name, value in self._model.logged_values().items()}
        metrics = {name: m.state_dict() for name, m in self._model.evaluation.metrics.items()}
        return {"losses": dict(self._losses), "tree": tree, "metrics": metrics}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the measurements of this worker from a checkpoint."""
        state = move_to_device(state_dict, self._device)
        self._losses = dict(state["losses"])
        for name, value in self._model.logged_values().items():
            value.load_state_dict(state["tree"][name])
        for name, metric in self._model.evaluation.metrics.items():
            metric.load_state_dict(state["metrics"][name])
