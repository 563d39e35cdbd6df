"""A run of `allennlp train`: training, evaluation on the test data, and the result."""

import functools
from typing import Any, Dict, Optional, Type

from allennlp.commands.train import TrainModel
from allennlp.common.util import is_distributed
from allennlp.data import DatasetReader
from allennlp.nn.util import dist_reduce_sum
from allennlp.training import util as training_util

from ..workers import is_first
from .results import announce_result, await_result

_run, _finish = TrainModel.run, TrainModel.finish
_from_partial_objects = TrainModel.from_partial_objects.__func__


@functools.wraps(_from_partial_objects)
def from_partial_objects(
    cls: Type[TrainModel],
    *,
    dataset_reader: DatasetReader,
    train_data_path: str,
    validation_dataset_reader: Optional[DatasetReader] = None,
    **parts: Any,
) -> TrainModel:
    """Build a run, whose readers know the data to train on, whichever data are read first."""
    for reader in (dataset_reader, validation_dataset_reader):
        if reader is not None and hasattr(reader, "training_path"):
            reader.training_path = train_data_path
    return _from_partial_objects(
        cls,
        dataset_reader=dataset_reader,
        train_data_path=train_data_path,
        validation_dataset_reader=validation_dataset_reader,
        **parts,
    )


def run(self: TrainModel) -> Dict[str, Any]:
    """Train, and evaluate the test data in all workers of a distributed run.

    A failure is announced to the callbacks that await the result.
    """
    await_result(self.trainer)
    try:
        metrics = _run(self)
        if is_distributed() and self.evaluation_data_loader is not None and self.evaluate_on_test:
            test_metrics = evaluate_in_all_workers(self)
            metrics.update({f"test_{name}": value for name, value in test_metrics.items()})
    except BaseException:
        announce_result(self.trainer, None)
        raise
    return metrics


def finish(self: TrainModel, metrics: Dict[str, Any]) -> None:
    """Evaluate the test data in a run of one process, write `metrics.json`, announce the result.

    In a distributed run, only the first worker of all nodes writes.
    """
    try:
        if is_first():
            if is_distributed() and self.evaluate_on_test:
                self.evaluation_data_loader = None  # `run` has evaluated these data
            _finish(self, metrics)
    except BaseException:
        announce_result(self.trainer, None)
        raise
    announce_result(self.trainer, metrics)


def evaluate_in_all_workers(loop: TrainModel) -> Dict[str, Any]:
    """Return the metrics of the test data, of which each worker evaluates its share."""
    metrics = training_util.evaluate(
        loop.model,
        loop.evaluation_data_loader,
        cuda_device=loop.trainer.cuda_device,
        batch_weight_key=loop.batch_weight_key,
    )
    if "loss" in metrics:  # the mean over the batches of this worker
        count = len(loop.evaluation_data_loader)
        metrics["loss"] = dist_reduce_sum(metrics["loss"] * count) / dist_reduce_sum(count)
    return metrics
