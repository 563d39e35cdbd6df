"""Two processes compared with one, for every method of the shipped configs; dying processes."""

import json
import os
import re
import signal

import allennlp.commands.train as train_command
import killing
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from allennlp.training.metrics import Metric
from component_names import names_of
from shipped import FOLDER, METHODS, WRITE, config_of, is_random, name_of, small_and_plain

from structured_energy.losses import Loss
from structured_energy.oracle_values import OracleValue
from structured_energy.samplers import Sampler
from structured_energy.workers import own_part

# Every loss, sampler, oracle value and metric of the shipped methods is in one of these. Training
# the other methods in two processes is slow: `make kill` does it.
COVERING = [
    FOLDER / f"{name}.jsonnet"
    for name in (
        "multi_label/digits/classifier_chain",
        "multi_label/digits/contrastive_divergence",
        "multi_label/digits/cross_entropy_lsef1",
        "multi_label/digits/cross_fitted",
        "multi_label/digits/seal_dynamic_dvn",
        "multi_label/digits/seal_dynamic_nce_critical",
        "multi_label/digits/seal_dynamic_nce_relaxed",
        "multi_label/digits/seal_ranking",
        "multi_label/digits/seal_static",
        "multi_label/digits/seal_static_margin",
        "multi_label_text/goemotions/cross_entropy",
        "hierarchical/spo_fun/cross_entropy",
        "hierarchical/spo_fun/inference_network",
        "parsing/ud_english_ewt/cross_entropy",
        "tagging/twpos/crf",
        "tagging/twpos/inference_network",
        "segmentation/weizmann_horses/cross_entropy",
        "segmentation/weizmann_horses/dvn",
        "segmentation/weizmann_horses/seal_dynamic_nce",
    )
]


def train(config, folder):
    """Train in a process; return whether it succeeded, and its output."""
    status, output = killing.forked(
        lambda: train_command.train_model(train_command.Params(config), str(folder)),
        folder,
        timeout=120,
    )
    return status == 0, output


def two(config):
    return {**config, "distributed": {"cuda_devices": [-1, -1]}}


@pytest.mark.parametrize("path", METHODS if "KILLS" in os.environ else COVERING, ids=name_of)
def test_two_processes_give_the_metrics_of_one(path, tmp_path):
    compare(small_and_plain(path, tmp_path / "data"), tmp_path)


def test_two_processes_evaluate_as_one(tmp_path):
    path = FOLDER / "multi_label/digits/inference_network.jsonnet"
    config = small_and_plain(path, tmp_path / "data")
    config["model"]["metrics"] += ["label-f1", "map-micro", "relaxed-f1", "ndcg-at-k"]
    config["model"]["evaluations"] = {
        "ranking": {"type": "score-ranking", "sampler": "inference-network"},
        "refined": {"type": "inference", "sampler": "gradient-based-inference"},
    }
    found = compare(config, tmp_path)
    assert {"test_evaluations.ranking.ndcg", "test_evaluations.refined.map_micro"} <= found.keys()
    assert "test_label_f1.label_0" in found


def compare(config, tmp_path):
    """Train in one and in two processes; the metrics, which are the same where nothing is drawn."""
    metrics = {}
    for name, variant in (("one", config), ("two", two(config))):
        succeeded, output = train(variant, tmp_path / name)
        assert succeeded, output[-3000:]
        metrics[name] = killing.outcome(tmp_path / name)["metrics"]["metrics.json"]
    assert metrics["one"].keys() == metrics["two"].keys()
    for key, value in metrics["two"].items():
        assert value == value and abs(value) < float("inf"), key
        if not is_random(config):
            assert value == pytest.approx(metrics["one"][key], rel=1e-3, abs=1e-4), key
    return metrics["one"]


def components_of(path):
    """Return the registered names in the model of a config that work across processes."""
    bases = (Loss, Metric, OracleValue, Sampler)
    known = {name for base in bases for name in names_of(base)}
    return known & set(re.findall(r'"([^"]*)"', json.dumps(config_of(path)["model"])))


def test_every_component_is_trained_in_two_processes_and_many_are_compared():
    trained = set().union(*map(components_of, COVERING))
    assert trained == set().union(*map(components_of, METHODS))
    compared = [path for path in COVERING if not is_random(config_of(path))]
    assert len(compared) > len(COVERING) / 3
    assert {path.parts[-3] for path in compared} == set(WRITE)


@pytest.mark.parametrize("rows", [5, 7])
@pytest.mark.parametrize("task", ["multi_label/digits", "tagging/twpos"])
def test_uneven_last_batches_do_not_hang(task, rows, tmp_path):
    config = small_and_plain(FOLDER / task / "inference_network.jsonnet", tmp_path / "data", rows)
    for loader in ("data_loader", "validation_data_loader"):
        config[loader]["batch_size"] = 2
    succeeded, output = train(two(config), tmp_path / "run")
    assert succeeded, output[-3000:]


@TrainerCallback.register("dying-worker")
class DyingWorker(TrainerCallback):
    """End the second worker in the second epoch, by an error or a signal."""

    def __init__(self, serialization_dir, how):
        super().__init__(serialization_dir)
        self.how = how

    def on_batch(self, trainer, *arguments, is_primary=True, **settings):
        if not is_primary and trainer._epochs_completed == 1:
            if self.how == "error":
                raise ValueError("This worker fails.")
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "message"), [("error", "This worker fails"), ("kill", "signal SIGKILL")]
)
def test_a_worker_that_dies_ends_the_run_with_its_error(how, message, tmp_path):
    config = small_and_plain(
        FOLDER / "multi_label/digits/inference_network.jsonnet", tmp_path / "data"
    )
    config["trainer"]["callbacks"] = [{"type": "dying-worker", "how": how}]
    succeeded, output = train(two(config), tmp_path / "run")
    assert not succeeded and message in output
    torch.load(tmp_path / "run" / "best.th")  # of the first epoch


def test_another_number_of_processes_than_that_of_the_checkpoint_is_refused():
    assert own_part([3]) == 3
    with pytest.raises(
        ConfigurationError, match="Expected 2 processes, as in the checkpoint, got 1"
    ):
        own_part([3, 4])
