"""Corrected metrics of batches, epochs and runs."""

import json

import torch
from allennlp.training import TrainerCallback
from snippets import MARGIN_BASED

from structured_energy.testing import train_snippet
from structured_energy.training.corrected_callbacks import CorrectedCallbacks
from structured_energy.training.epoch_metrics import EpochMetrics

PHASES = f"""{MARGIN_BASED} + {{
  trainer+: {{
    networks: {{ score_network: {{ stop_epoch: 1 }}, task_network: {{ start_epoch: 1 }} }},
  }},
}}"""
CPU = torch.device("cpu")


class Model:
    """A model without logged values."""

    def __init__(self):
        self.evaluation = self
        self.metrics = {}

    def logged_values(self):
        return {}

    def get_metrics(self, reset):
        return {"f1": 0.5}


def test_losses_resume_within_an_epoch_and_no_dictionary_changes():
    first = EpochMetrics(Model(), CPU)
    given = {"batch_loss": 2.0, "loss": 2.0, "batch_reg_loss": 1.0, "reg_loss": 1.0}
    kept = dict(given)
    assert first.of_batch(given, 1) == given
    second = EpochMetrics(Model(), CPU)
    second.load_state_dict(first.state_dict())
    # AllenNLP's sums begin at the resumed batch, its count of batches does not.
    later = {"batch_loss": 4.0, "loss": 2.0, "batch_reg_loss": 2.0, "reg_loss": 1.0}
    expected = {"batch_loss": 4.0, "loss": 3.0, "batch_reg_loss": 2.0, "reg_loss": 1.5}
    assert second.of_batch(later, 2) == expected
    assert later["loss"] == 2.0 and given == kept
    epoch = {"loss": 2.0, "reg_loss": 1.0, "f1": 0.25}
    assert second.of_epoch(epoch, 2) == {"loss": 3.0, "reg_loss": 1.5, "f1": 0.25}
    assert epoch["loss"] == 2.0
    assert second.state_dict()["losses"] == {}


def test_an_epoch_without_a_batch_left_has_the_metrics_of_the_model():
    metrics = EpochMetrics(Model(), CPU)
    metrics.load_state_dict({"losses": {"loss": 6.0}, "tree": {}, "metrics": {}})
    assert metrics.of_epoch({"worker_0_memory_MB": 1.0}, 3) == {
        "f1": 0.5,
        "loss": 2.0,
        "worker_0_memory_MB": 1.0,
    }


class Recorder(TrainerCallback):
    def __init__(self, serialization_dir):
        super().__init__(serialization_dir)
        self.metrics = []

    def on_epoch(self, trainer, metrics, epoch, is_primary=True):
        self.metrics.append(metrics)


def test_values_that_only_an_earlier_epoch_has_are_not_reported_again(tmp_path):
    metrics, recorder = EpochMetrics(Model(), CPU), Recorder(str(tmp_path))
    group = CorrectedCallbacks(str(tmp_path), [recorder], metrics)
    run = {"training_loss": 1.0, "training_score": 2.0, "training_duration": "0:01", "epoch": 0}
    path = tmp_path / "metrics_epoch_1.json"
    metrics.of_epoch({"loss": 1.0, "score": 2.0}, 1)
    group.on_epoch(None, run, 0)
    metrics.of_epoch({"loss": 3.0}, 1)
    run.update(training_loss=3.0, epoch=1)
    kept = dict(run)
    group.on_epoch(None, run, 1)
    expected = {"training_loss": 3.0, "training_duration": "0:01", "epoch": 1}
    assert recorder.metrics[1] == expected == json.loads(path.read_text())
    assert recorder.metrics[0]["training_score"] == 2.0 and run == kept


def test_each_phase_reports_the_values_of_its_networks(tmp_path):
    train_snippet(PHASES, tmp_path)
    first, second, last = (
        json.loads((tmp_path / "run" / f"metrics{name}.json").read_text())
        for name in ("_epoch_0", "_epoch_1", "")
    )

    def training(metrics):
        return {name for name in metrics if name.startswith("training_")}

    assert training(first) - training(second) and training(second) - training(first)
    assert training(second) == training(last)
