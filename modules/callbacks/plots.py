"""Plots of a run while it is trained."""

import time
from pathlib import Path
from typing import Any, Dict, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..reporting import write_plots
from .trained_model import averaged_weights, check_model

SHARE = 0.02  # of the time of training, which drawing may take
FIRST = 5.0  # seconds, about what the first drawing takes, with the import of Matplotlib


@TrainerCallback.register("plots")
class PlotsCallback(TrainerCallback):
    """Draws every logged value over time, and what the model makes of the validation data, to
    `plots` in the folder of the run, as PNG and SVG: while it is trained, and at the end with the
    best weights, as `allennlp plots` does at any time.

    Each time the plots take the place of those before. Training is what it were without.

    # Parameters

    every : `int`, optional
        After how many epochs. By default as often as drawing takes 2 % of the time at most: a
        training of a few minutes is drawn at its end alone.

    # Raises

    `ConfigurationError` for an `every` below 1, another model than `structured-energy`, or no
    validation data.
    """

    def __init__(self, serialization_dir: str, every: Optional[int] = None) -> None:
        super().__init__(serialization_dir)
        if every is not None and every < 1:
            raise ConfigurationError(
                f"Expected every of at least 1 in the callback 'plots', got {every}."
            )
        self.every = every
        self._seconds = FIRST  # that a drawing takes
        self._last = 0.0

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Looks whether there is something to draw."""
        super().on_start(trainer, is_primary)
        check_model(trainer, "'plots'")
        if trainer._validation_data_loader is None:
            raise ConfigurationError(
                "Expected validation data for the callback 'plots', got none; set "
                "'validation_data_path', or leave the callback out."
            )
        self._last = time.perf_counter()

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Draws where its time has come."""
        if is_primary and self._due(epoch):
            with averaged_weights(trainer):
                self._draw(trainer)

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
    ) -> None:
        """Draws the best weights, which the trainer has put back, unless training has failed."""
        if is_primary and metrics is not None:
            self._draw(trainer)

    def _due(self, epoch: int) -> bool:
        if self.every is not None:
            return (epoch + 1) % self.every == 0
        return self._seconds <= SHARE * (time.perf_counter() - self._last)

    def _draw(self, trainer: GradientDescentTrainer) -> None:
        start = time.perf_counter()
        folder = Path(self.serialization_dir)
        write_plots(folder, trainer.model, trainer._validation_data_loader)
        self._last = time.perf_counter()
        self._seconds = self._last - start
