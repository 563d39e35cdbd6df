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
    return [callback for callback in callbacks_of(trainer) if isinstance(callback, ResultCallback)]


class CallbackGroup(TrainerCallback):
    """Several callbacks behind one.

    # Parameters

    callbacks : `List[TrainerCallback]`
        The callbacks, in the order in which they are called.
    """

    def __init__(self, serialization_dir: str, callbacks: List[TrainerCallback]) -> None:
        super().__init__(serialization_dir)
        self.callbacks = callbacks


def callbacks_of(trainer: GradientDescentTrainer) -> List[TrainerCallback]:
    """Return the callbacks of a trainer, with those inside of a group in its place."""
    callbacks: List[TrainerCallback] = []
    for callback in getattr(trainer, "_callbacks", []):
        callbacks += callback.callbacks if isinstance(callback, CallbackGroup) else [callback]
    return callbacks
