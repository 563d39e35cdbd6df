"""Two processes against one, for every method of the shipped configs; processes that die."""

import json
import os
import signal

import _jsonnet
import allennlp.commands.train as train_command
import killing
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from shipped import FOLDER, METHODS, WRITE, is_random, name_of, small

from structured_energy.workers import own_part


def train(config, folder):
    """Trains in a process; gives whether it went well, and what it said."""
    status, said = killing.forked(
        lambda: train_command.train_model(train_command.Params(config), str(folder)),
        folder,
        timeout=120,
    )
    return status == 0, said


def two(config):
    return {**config, "distributed": {"cuda_devices": [-1, -1]}}


@pytest.mark.parametrize("path", METHODS, ids=name_of)
def test_two_processes_give_the_metrics_of_one(path, tmp_path):
    config = small(path, tmp_path / "data")
    found = {}
    for name, given in (("one", config), ("two", two(config))):
        went_well, said = train(given, tmp_path / name)
        assert went_well, said[-3000:]
        found[name] = killing.outcome(tmp_path / name)["metrics"]["metrics.json"]
    assert found["one"].keys() == found["two"].keys()
    for key, value in found["two"].items():
        assert value == value and abs(value) < float("inf"), key
        if not is_random(config):
            assert value == pytest.approx(found["one"][key], rel=1e-3, abs=1e-4), key


def test_methods_without_draws_are_compared():
    compared = [
        path for path in METHODS if not is_random(json.loads(_jsonnet.evaluate_file(str(path))))
    ]
    assert len(compared) > len(METHODS) / 3
    assert {path.parts[-3] for path in compared} == set(WRITE)


@pytest.mark.parametrize("rows", [5, 7])
@pytest.mark.parametrize("task", ["multi_label/digits", "tagging/twpos"])
def test_uneven_last_batches_do_not_hang(task, rows, tmp_path):
    config = small(FOLDER / task / "inference_network.jsonnet", tmp_path / "data", rows)
    for loader in ("data_loader", "validation_data_loader"):
        config[loader]["batch_size"] = 2
    went_well, said = train(two(config), tmp_path / "run")
    assert went_well, said[-3000:]


@TrainerCallback.register("dying-worker")
class DyingWorker(TrainerCallback):
    """Ends the second worker in the second epoch, by an error or at once."""

    def __init__(self, serialization_dir, how):
        super().__init__(serialization_dir)
        self.how = how

    def on_batch(self, trainer, *arguments, is_primary=True, **settings):
        if not is_primary and trainer._epochs_completed == 1:
            if self.how == "error":
                raise ValueError("This worker has had enough.")
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "message"), [("error", "This worker has had enough"), ("kill", "signal SIGKILL")]
)
def test_a_worker_that_dies_ends_the_run_with_its_error(how, message, tmp_path):
    config = small(FOLDER / "multi_label/digits/inference_network.jsonnet", tmp_path / "data")
    config["trainer"]["callbacks"] = [{"type": "dying-worker", "how": how}]
    went_well, said = train(two(config), tmp_path / "run")
    assert not went_well and message in said
    torch.load(tmp_path / "run" / "best.th")  # of the first epoch


def test_a_checkpoint_is_of_so_many_processes():
    assert own_part([3]) == 3
    with pytest.raises(
        ConfigurationError, match="Expected 2 processes, as in the checkpoint, got 1"
    ):
        own_part([3, 4])
