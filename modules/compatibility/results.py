"""Callbacks that receive the result of a run, with the metrics of the test data."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional

from allennlp.training import GradientDescentTrainer, TrainerCallback


class ResultCallback(TrainerCallback, ABC):
    """A callback that receives the metrics of the test data, which AllenNLP evaluates after
    `on_end`.

    `allennlp train` sets `awaits_result` before training, and calls `on_result` in the process
    that writes for all; a trainer that is used by itself does neither.
    """

    awaits_result = False

    @abstractmethod
    def on_result(self, trainer: GradientDescentTrainer, metrics: Optional[Dict[str, Any]]) -> None:
        """Receive the content of `metrics.json`, or `None` if training or evaluation failed."""


def await_result(trainer: GradientDescentTrainer) -> None:
    """Tell the result callbacks that `on_result` will be called."""
    for callback in _result_callbacks(trainer):
        callback.awaits_result = True


def announce_result(trainer: GradientDescentTrainer, metrics: Optional[Dict[str, Any]]) -> None:
    """Call `on_result` of the result callbacks, in the process that writes for all."""
    if trainer._primary:
        for callback in _result_callbacks(trainer):
            callback.on_result(trainer, metrics)


def _result_callbacks(trainer: GradientDescentTrainer) -> List[ResultCallback]:
    callbacks = getattr(trainer, "_callbacks", [])
    return [callback for callback in callbacks if isinstance(callback, ResultCallback)]
