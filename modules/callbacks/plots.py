"""Plots of a run during its training."""

import time
from pathlib import Path
from typing import Any, Dict, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..reporting import write_plots
from .trained_model import averaged_weights, check_model

SHARE = 0.02  # of the training time may go into drawing
FIRST = 5.0  # seconds of the first drawing, with the import of Matplotlib


@TrainerCallback.register("plots")
class PlotsCallback(TrainerCallback):
    """Draw every logged value over time, and a diagnosis of the model on the validation data.

    The plots are PNG and SVG files in `plots` in the folder of the run. Each drawing replaces the
    previous one; the last one is of the best weights. `allennlp plots` draws the same at any time.
    The callback does not change the training.

    # Parameters

    every : `int`, optional
        The number of epochs between drawings. By default drawing takes at most 2 % of the time: a
        training of a few minutes is drawn only at its end.

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
        self._seconds = FIRST  # of the last drawing
        self._last = 0.0

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Check that there are a model and data to draw."""
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
        """Draw the plots of an epoch that is due."""
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
        """Draw the plots of the best weights, which the trainer restored, unless it failed."""
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
