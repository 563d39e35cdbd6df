"""Plots of a run while it is trained."""

from pathlib import Path
from typing import Any, Dict

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer, TrainerCallback

from ..reporting import write_plots
from .without_trace import averaged_weights, check_model, leaving_no_trace


@TrainerCallback.register("plots")
class PlotsCallback(TrainerCallback):
    """Draws, each n epochs, every logged value over time and what the model makes of the validation
    data, to `plots` in the folder of the run, as PNG and SVG; `allennlp plots` draws the same
    afterwards, of the best weights.

    Each time the plots take the place of those before. Training is what it were without.

    # Parameters

    every : `int`
        After how many epochs.

    # Raises

    `ConfigurationError` for an `every` below 1, another model than `structured-energy`, or no
    validation data.
    """

    def __init__(self, serialization_dir: str, every: int = 10) -> None:
        super().__init__(serialization_dir)
        if every < 1:
            raise ConfigurationError(
                f"Expected every of at least 1 in the callback 'plots', got {every}."
            )
        self.every = every

    def on_start(self, trainer: GradientDescentTrainer, is_primary: bool = True) -> None:
        """Looks whether there is something to draw."""
        super().on_start(trainer, is_primary)
        check_model(trainer, "'plots'")
        if trainer._validation_data_loader is None:
            raise ConfigurationError(
                "Expected validation data for the callback 'plots', got none; set "
                "'validation_data_path', or leave the callback out."
            )

    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
    ) -> None:
        """Draws where its time has come."""
        if not is_primary or (epoch + 1) % self.every:
            return
        with averaged_weights(trainer), leaving_no_trace(trainer.model):
            folder = Path(self.serialization_dir)
            write_plots(folder, trainer.model, trainer._validation_data_loader)
