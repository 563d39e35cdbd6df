"""The summary of a run in Weights & Biases: the best epoch so far, and the test data."""

import copy
import json
import os
import signal
import time

import pytest
import wandb
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.training import Checkpointer
from allennlp.training import util as training_util
from forked_command import forked
from wandb_files import of_kind, runs_of, summary_of

from structured_energy.testing import data_config, evaluate_jsonnet, merged

pytestmark = pytest.mark.usefixtures("wandb_environment")
FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus'}"
SNIPPET = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    sampler: {{type: 'inference-network', loss: 'cross-entropy'}},
    metrics: ['example-f1'],
  }},
  trainer: {{
    type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.01}},
    callbacks: [{{type: 'tree-to-wandb', mode: 'offline'}}],
  }},
  evaluate_on_test: true,
}}"""


@pytest.fixture()
def config(tmp_path):
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(SNIPPET))
    return {**config, "test_data_path": config["validation_data_path"]}


def train(config, folder, **settings):
    train_model(Params(copy.deepcopy(config)), str(folder / "run"), **settings)


def expected(folder, file, *parts):
    """What the summary has of these parts of the metrics in a file of the run."""
    metrics = json.loads((folder / "run" / file).read_text())
    found = {
        f"{part}/{key.removeprefix(f'{part}_')}": value
        for part in parts
        for key, value in metrics.items()
        if key.startswith(f"{part}_")
    }
    return {**found, "best_epoch": metrics["best_epoch"]}


def of_parts(summary):
    return {
        name: value
        for name, value in summary.items()
        if name.startswith(("best_validation/", "test/")) or name == "best_epoch"
    }


def exit_code(records):
    return of_kind(records, "exit")[0].exit_code


def check_whole(folder, records):
    whole = expected(folder, "metrics.json", "best_validation", "test")
    assert {"test/example_f1", "test/sampler.loss.value", "best_validation/loss"} <= whole.keys()
    assert of_parts(summary_of(records)) == whole
    assert exit_code(records) == 0


def test_the_summary_has_the_best_epoch_and_the_test_data(config, tmp_path):
    train(config, tmp_path)
    (records,) = runs_of(tmp_path)
    check_whole(tmp_path, records)


def test_the_summary_has_the_chosen_keys_only(config, tmp_path):
    config["trainer"]["callbacks"][0]["keys"] = ["example_*"]
    train(config, tmp_path)
    (records,) = runs_of(tmp_path)
    names = of_parts(summary_of(records)).keys()
    assert names == {"best_validation/example_f1", "test/example_f1", "best_epoch"}


def test_a_run_without_test_data_is_closed(config, tmp_path):
    config["evaluate_on_test"] = False
    train(config, tmp_path)
    (records,) = runs_of(tmp_path)
    best = expected(tmp_path, "metrics.json", "best_validation")
    assert of_parts(summary_of(records)) == best
    assert exit_code(records) == 0


def test_a_run_whose_evaluation_failed_has_failed_and_is_completed_by_recovery(config, tmp_path):
    def fail(*arguments, **settings):
        raise RuntimeError("out of memory")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="out of memory"):
        patch.setattr(training_util, "evaluate", fail)
        train(config, tmp_path)
    (failed,) = runs_of(tmp_path)
    best = expected(tmp_path, "metrics_epoch_2.json", "best_validation")
    assert of_parts(summary_of(failed)) == best
    assert exit_code(failed) == 1
    time.sleep(1.1)  # the folder of a run is named by the second
    train(config, tmp_path, recover=True)
    first, second = runs_of(tmp_path)
    check_whole(tmp_path, second)
    assert of_kind(first, "run")[0].run_id == of_kind(second, "run")[0].run_id


def train_two_epochs(config, folder):
    """Train in this process, which kills itself before it saves a third epoch."""
    save = Checkpointer.maybe_save_checkpoint

    def killed(self, trainer, epochs, batches):
        if epochs == 2:
            time.sleep(3)  # longer than wandb takes to flush
            os.kill(os.getpid(), signal.SIGKILL)
        return save(self, trainer, epochs, batches)

    Checkpointer.maybe_save_checkpoint = killed
    train_model(Params(config), str(folder))


def test_a_killed_run_has_the_best_epoch_so_far(config, tmp_path):
    wandb.teardown()  # its process is not the child's
    done = forked(lambda: train_two_epochs(config, tmp_path / "run"))
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    (records,) = runs_of(tmp_path)
    best = expected(tmp_path, "metrics_epoch_1.json", "best_validation")
    assert of_parts(summary_of(records)) == best
    assert not of_kind(records, "exit")


def test_the_first_of_two_workers_writes(config, tmp_path):
    config["distributed"] = {"cuda_devices": [-1, -1]}
    wandb.teardown()  # its process is not the child's
    done = forked(lambda: train(config, tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    (records,) = runs_of(tmp_path)
    check_whole(tmp_path, records)
