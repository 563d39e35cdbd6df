"""Two processes compared with one, for every method of the shipped configs; dying processes."""

import itertools
import os
import signal

import allennlp.commands.train as train_command
import killing
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from selection import by_turns
from shipped import (
    FOLDER,
    METHODS,
    WRITE,
    components_of,
    config_of,
    covering_methods,
    is_random,
    name_of,
    small_and_plain,
)

from structured_energy.workers import own_part

# Training all methods in two processes is slow: `make kill` does it.
COMPARED = METHODS if "KILLS" in os.environ else covering_methods()


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


@pytest.mark.parametrize("path", COMPARED, ids=name_of)
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


def test_every_component_is_trained_in_two_processes_and_many_are_compared():
    trained = set().union(*map(components_of, COMPARED))
    assert trained == set().union(*map(components_of, METHODS))
    compared = [path for path in COMPARED if not is_random(config_of(path))]
    assert len(compared) > len(COMPARED) / 3
    assert {path.parts[-3] for path in compared} == set(WRITE)


@pytest.mark.parametrize(
    ("task", "rows"),
    by_turns(
        itertools.product(["multi_label/digits", "tagging/twpos"], [5, 7]), lambda case: case[0]
    ),
)
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
