"""Evaluation on the test data by all workers."""

from typing import Any, Dict

from allennlp.commands import train
from allennlp.commands.train import TrainModel
from allennlp.common.util import is_distributed
from allennlp.nn.util import dist_reduce_sum
from allennlp.training import util


def mend_evaluation_on_test() -> None:
    """The first worker evaluated alone, on its share of the test data, and waited for the
    others' part of the metrics. All evaluate now, before the first one writes down what came of
    it."""
    original_run, original_finish = TrainModel.run, TrainModel.finish
    evaluate = util.evaluate

    def evaluate_together(self: TrainModel) -> Dict[str, Any]:
        found = evaluate(
            self.model,
            self.evaluation_data_loader,
            cuda_device=self.trainer.cuda_device,
            batch_weight_key=self.batch_weight_key,
        )
        if "loss" in found:  # the mean over batches, of this worker
            count = len(self.evaluation_data_loader)
            found["loss"] = dist_reduce_sum(found["loss"] * count) / dist_reduce_sum(count)
        return found

    def run(self: TrainModel) -> Dict[str, Any]:
        metrics = original_run(self)
        if is_distributed() and self.evaluation_data_loader is not None and self.evaluate_on_test:
            self.of_all_workers = evaluate_together(self)
        return metrics

    def finish(self: TrainModel, metrics: Dict[str, Any]) -> None:
        found = getattr(self, "of_all_workers", None)
        if found is None:
            original_finish(self, metrics)
            return
        train.training_util.evaluate = lambda *arguments, **settings: found
        try:
            original_finish(self, metrics)
        finally:
            train.training_util.evaluate = evaluate

    TrainModel.run, TrainModel.finish = run, finish
