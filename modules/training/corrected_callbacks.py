"""The callbacks of a run behind one callback, which corrects their metrics."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..atomic_files import write_atomically
from ..compatibility import CallbackGroup
from .epoch_metrics import EpochMetrics
from .metric_names import check_metric_names


class CorrectedCallbacks(CallbackGroup):
    """Call other callbacks in order, with the metrics that `EpochMetrics` returns.

    The metrics of each epoch in the serialization directory are corrected in the same way.
    """

    def __init__(
        self, serialization_dir: str, callbacks: List[TrainerCallback], metrics: EpochMetrics
    ) -> None:
        super().__init__(serialization_dir, callbacks)
        self._metrics = metrics

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Check the names of metrics, then start the callbacks."""
        super().on_start(trainer, is_primary)
        check_metric_names(trainer)
        for callback in self.callbacks:
            callback.on_start(trainer, is_primary=is_primary)

    def on_backward(
        self,
        trainer: GradientDescentTrainer,
        batch_outputs: Dict[str, torch.Tensor],
        backward_called: bool,
    ) -> bool:
        """Return whether any callback has called `backward`."""
        for callback in self.callbacks:
            backward_called |= callback.on_backward(trainer, batch_outputs, backward_called)
        return backward_called

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
        """Correct the metrics of a batch of training, then call the callbacks."""
        if is_training:
            batch_metrics = self._metrics.of_batch(batch_metrics, batch_number)
        for callback in self.callbacks:
            callback.on_batch(
                trainer,
                batch_inputs,
                batch_outputs,
                batch_metrics,
                epoch,
                batch_number,
                is_training=is_training,
                is_primary=is_primary,
                batch_grad_norm=batch_grad_norm,
            )

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Correct the metrics of the run, and their file, then call the callbacks."""
        corrected = self._metrics.of_run(metrics)
        if is_primary and self.serialization_dir and len(corrected) < len(metrics):
            path = Path(self.serialization_dir) / f"metrics_epoch_{epoch}.json"
            write_atomically(path, json.dumps(corrected, indent=2))
        for callback in self.callbacks:
            callback.on_epoch(trainer, metrics=corrected, epoch=epoch, is_primary=is_primary)

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """End the callbacks."""
        for callback in self.callbacks:
            callback.on_end(trainer, metrics=metrics, epoch=epoch, is_primary=is_primary)

    def state_dict(self) -> Dict[str, Any]:
        """Return the states of the callbacks."""
        return {"callbacks": [callback.state_dict() for callback in self.callbacks]}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Load the states of the callbacks."""
        for callback, state in zip(self.callbacks, state_dict["callbacks"], strict=False):
            callback.load_state_dict(state)
