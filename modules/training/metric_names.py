"""The names of the values that a model reports, for configs that name one."""

import difflib
from typing import Iterable, List, NamedTuple

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer
from allennlp.training.learning_rate_schedulers.pytorch_lr_schedulers import (
    ReduceOnPlateauLearningRateScheduler,
)

from ..logging import LoggedArray
from ..metrics import StructuredMetric
from ..models import StructuredEnergyModel
from .joint_optimizer import JointScheduler


class ValueNames(NamedTuple):
    """The names of scalars and of arrays, and prefixes of names that depend on the data.

    A metric that reports several values, such as one for each role, has a prefix.
    """

    scalars: List[str]
    arrays: List[str]
    prefixes: List[str]

    def check(self, name: str, where: str, arrays: bool = False) -> None:
        """Raise `ConfigurationError` for a name that no value can have."""
        known = sorted([*self.scalars, *(self.arrays if arrays else [])])
        if name in known or name.startswith(tuple(self.prefixes)):
            return
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise ConfigurationError(
            f"Expected {where} to name a value of the model, one of {known}, got '{name}'{hint}"
        )


def value_names(model: StructuredEnergyModel) -> ValueNames:
    """Return the names that the values of a model can have, in training or in validation."""
    tree = model.logged_values()
    metrics = {**model.evaluation.metrics, **model.evaluations.metrics()}
    scalars = {"loss", *metrics, *(n for n, v in tree.items() if not isinstance(v, LoggedArray))}
    scalars.update(f"decoder.{name}" for name in model.decoder.fitted_values())
    if model.get_regularization_penalty() is not None:
        scalars.add("reg_loss")
    several = [n for n, m in metrics.items() if type(m).values is not StructuredMetric.values]
    if type(model).get_metrics is not StructuredEnergyModel.get_metrics:
        several = [""]  # a user's model may report any value
    return ValueNames(sorted(scalars), sorted(set(tree) - scalars), several)


def check_metric_names(trainer: GradientDescentTrainer) -> None:
    """Raise `ConfigurationError` for a `validation_metric` that names no value of the model, and
    for a schedule that follows the metric if there are no validation data."""
    if trainer._validation_data_loader is None:
        for network, scheduler in _schedulers(trainer):
            if isinstance(scheduler, ReduceOnPlateauLearningRateScheduler):
                raise ConfigurationError(
                    f"Expected validation_data_path in the config for the scheduler "
                    f"'reduce_on_plateau' of {network}, which follows the validation_metric, got "
                    "none."
                )
        return
    names = value_names(trainer.model)
    for _, name in trainer._metric_tracker.tracked_metrics:
        names.check(name, "validation_metric of the trainer")


def _schedulers(trainer: GradientDescentTrainer) -> Iterable[tuple]:
    scheduler = trainer._learning_rate_scheduler
    if isinstance(scheduler, JointScheduler):
        return scheduler.schedulers.items()
    return [("the trainer", scheduler)]
