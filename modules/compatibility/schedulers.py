"""The scheduler `reduce_on_plateau`."""

from typing import Literal

import torch
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.learning_rate_schedulers.pytorch_lr_schedulers import (
    ReduceOnPlateauLearningRateScheduler,
)

# Registering with `exist_ok` would log a line at the start of each command.
del LearningRateScheduler._registry[LearningRateScheduler]["reduce_on_plateau"]


@LearningRateScheduler.register("reduce_on_plateau")
class ReduceOnPlateau(ReduceOnPlateauLearningRateScheduler):
    """AllenNLP's scheduler without the argument `verbose`, which torch has removed."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold_mode: Literal["rel", "abs"] = "rel",
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        # Skip the constructor of the base class, which passes `verbose`.
        super(ReduceOnPlateauLearningRateScheduler, self).__init__(
            torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer,
                mode=mode,
                factor=factor,
                patience=patience,
                threshold_mode=threshold_mode,
                threshold=threshold,
                cooldown=cooldown,
                min_lr=min_lr,
                eps=eps,
            )
        )
