"""The metrics of an epoch, and of a run that has none left to train."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

from allennlp.training import GradientDescentTrainer, TrainerCallback


class EpochMetrics(TrainerCallback):
    """Keeps the metrics that AllenNLP's loop gathers in one dictionary over the epochs, so that a
    value of an epoch before, which the next one does not have, is not told as its own."""

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._metrics: Dict[str, Any] = {}

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


def epochs_to_train(trainer: GradientDescentTrainer) -> int:
    """How many epochs a run has in all: those of its checkpoint, where patience had run out after
    them. AllenNLP asks for patience after an epoch alone, and would train one more."""
    completed = trainer._start_after_epochs_completed
    within = trainer._start_after_batches_in_epoch_completed
    if completed and not within and trainer._metric_tracker.should_stop_early():
        return completed
    return trainer._num_epochs


def metrics_of_epoch(folder: Optional[str], epoch: int) -> Dict[str, Any]:
    """What the run wrote of an epoch; AllenNLP knows nothing of it where none was left to train."""
    assert folder is not None  # there is a checkpoint
    return json.loads((Path(folder) / f"metrics_epoch_{epoch}.json").read_text())
