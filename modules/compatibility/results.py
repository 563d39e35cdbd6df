"""Callbacks that learn the result of a run, with the metrics of the test data."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional

from allennlp.commands.train import TrainModel
from allennlp.training import GradientDescentTrainer, TrainerCallback


class ResultCallback(TrainerCallback, ABC):
    """A callback that AllenNLP's `on_end` reaches too early: the test data are evaluated after it.

    `allennlp train` sets `awaits_result` before training, and calls `on_result` in the process
    that writes for all; a trainer that is used by itself does neither.
    """

    awaits_result = False

    @abstractmethod
    def on_result(self, trainer: GradientDescentTrainer, metrics: Optional[Dict[str, Any]]) -> None:
        """Receive what `metrics.json` holds, or `None` if training or the evaluation failed."""


def mend_results() -> None:
    """AllenNLP tells callbacks the end of training, but not the metrics of the test data."""
    original_run, original_finish = TrainModel.run, TrainModel.finish

    def run(self: TrainModel) -> Dict[str, Any]:
        for callback in _result_callbacks(self):
            callback.awaits_result = True
        try:
            return original_run(self)
        except BaseException:
            _tell(self, None)
            raise

    def finish(self: TrainModel, metrics: Dict[str, Any]) -> None:
        try:
            original_finish(self, metrics)  # adds the metrics of the test data
        except BaseException:
            _tell(self, None)
            raise
        _tell(self, metrics)

    TrainModel.run, TrainModel.finish = run, finish


def _result_callbacks(loop: TrainModel) -> List[ResultCallback]:
    callbacks = getattr(loop.trainer, "_callbacks", [])
    return [callback for callback in callbacks if isinstance(callback, ResultCallback)]


def _tell(loop: TrainModel, metrics: Optional[Dict[str, Any]]) -> None:
    if loop.trainer._primary:
        for callback in _result_callbacks(loop):
            callback.on_result(loop.trainer, metrics)
