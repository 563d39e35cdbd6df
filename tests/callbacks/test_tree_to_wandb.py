"""What is written to Weights & Biases, read back from the files that it leaves offline."""

import json
import os
import signal
import time

import pytest
import torch
import wandb
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.training import Checkpointer
from forked_command import forked
from wandb_files import of_kind, runs_of

from structured_energy.testing import data_config, evaluate_jsonnet, merged, train_snippet
from structured_energy.training import MinimaxTrainer

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus', dropout: 0.3}"
MODEL = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'value-regression',
    sampler: {{type: 'gradient-based-inference', num_steps: 3}},
  }},
  trainer: {{type: 'minimax', num_epochs: 4, optimizer: {{type: 'adamw', lr: 0.01}}}},
}}"""
STEPS = 3  # of an epoch: 24 instances in batches of 8
pytestmark = pytest.mark.usefixtures("wandb_environment")
OFFLINE = {"type": "tree-to-wandb", "mode": "offline"}


@pytest.fixture(scope="module")
def run(wandb_environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wandb")
    callback = {**OFFLINE, "project": "p", "name": "n", "group": "g", "tags": ["a", "b"]}
    return folder, train_snippet(MODEL, folder, {"trainer": {"callbacks": [callback]}})


def rows_of(folder):
    return [
        {
            item.key or ".".join(item.nested_key): json.loads(item.value_json)
            for item in history.item
        }
        for records in runs_of(folder)
        for history in of_kind(records, "history")
    ]


def metrics_of(folder, epoch):
    return json.loads((folder / "run" / f"metrics_epoch_{epoch}.json").read_text())


def numbers(row):
    """Of the tree, without the time."""
    return {
        name: value
        for name, value in row.items()
        if name.startswith(("training/", "validation/")) and isinstance(value, (int, float))
    }


def test_a_row_for_each_epoch_has_what_metrics_has(run):
    folder, _ = run
    rows = rows_of(folder)
    assert [(row["_step"], row["epoch"], row["step"]) for row in rows] == [
        (epoch, epoch, STEPS * (epoch + 1)) for epoch in range(4)
    ]
    for epoch, row in enumerate(rows):
        expected = {
            name.replace("_", "/", 1): value
            for name, value in metrics_of(folder, epoch).items()
            if name.startswith(("training_", "validation_"))
            and "memory" not in name
            and "duration" not in name
        }
        assert {"training/loss.value", "validation/loss"} <= expected.keys()
        assert numbers(row) == expected


def test_an_array_is_a_histogram_of_its_values(run):
    folder, _ = run
    for row in rows_of(folder):
        counts = row["training/sampler.trajectory.values"]
        assert sum(counts) == 4  # as many as there are iterates
        assert len(row["training/sampler.trajectory.bins"]) == len(counts) + 1


def test_the_run_has_its_config_and_labels(run):
    folder, _ = run
    (records,) = runs_of(folder)
    opened = of_kind(records, "run")[0]
    assert (opened.project, opened.display_name, opened.run_group) == ("p", "n", "g")
    assert list(opened.tags) == ["a", "b"]
    config = {item.key: json.loads(item.value_json) for item in opened.config.update}
    config.pop("_wandb")
    assert config == json.loads((folder / "run" / "config.json").read_text())
    (axis,) = of_kind(records, "metric")
    assert (axis.glob_name, axis.step_metric) == ("*", "epoch")
    assert of_kind(records, "exit")[0].exit_code == 0
    saved = json.loads((folder / "run" / "wandb_run.json").read_text())
    assert saved == {"id": opened.run_id, "last_row": 3}


def test_training_is_what_it_were_without(run, tmp_path):
    folder, model = run
    plain = train_snippet(MODEL, tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    for epoch in range(4):
        first, second = (metrics_of(where, epoch) for where in (folder, tmp_path))
        assert first["training_loss.value"] == second["training_loss.value"]
        assert first["validation_loss"] == second["validation_loss"]


class Interrupted(Exception):
    pass


def interrupt_after(patch, batches):
    """Training fails after so many batches."""
    batch_outputs, count = MinimaxTrainer.batch_outputs, 0

    def interrupted(self, batch, for_training):
        nonlocal count
        count += for_training
        if count > batches:
            raise Interrupted
        return batch_outputs(self, batch, for_training)

    patch.setattr(MinimaxTrainer, "batch_outputs", interrupted)


def interrupt_before_checkpoint(patch, number):
    """Training fails between the callbacks of an epoch and its checkpoint."""
    save, count = Checkpointer.maybe_save_checkpoint, 0

    def interrupted(self, trainer, epochs, batches):
        nonlocal count
        count += batches == 0
        if count == number:
            raise Interrupted
        return save(self, trainer, epochs, batches)

    patch.setattr(Checkpointer, "maybe_save_checkpoint", interrupted)


def config_for(folder, callback, checkpointer):
    config = merged(data_config(folder / "data"), evaluate_jsonnet(MODEL))
    config["trainer"].update(callbacks=[callback], checkpointer=checkpointer)
    return config


@pytest.mark.parametrize("unit", ["epochs", "steps"])
@pytest.mark.parametrize(
    ("interrupt", "number", "checkpointer"),
    [
        (interrupt_after, 2, {}),
        (interrupt_after, 8, {}),
        (interrupt_after, 8, {"save_every_num_batches": 2, "keep_most_recent_by_count": 9}),
        (interrupt_before_checkpoint, 2, {}),
    ],
    ids=["before a checkpoint", "in an epoch", "from within an epoch", "between epochs"],
)
def test_a_run_that_goes_on_has_each_row_once(tmp_path, unit, interrupt, number, checkpointer):
    config = config_for(tmp_path, {**OFFLINE, "unit": unit}, checkpointer)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_model(Params(json.loads(json.dumps(config))), str(whole / "run"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted):
        interrupt(patch, number)
        train_model(Params(json.loads(json.dumps(config))), str(cut / "run"))
    time.sleep(1.1)  # the folder of a run is named by the second
    train_model(Params(json.loads(json.dumps(config))), str(cut / "run"), recover=True)
    failed, finished = runs_of(cut)
    opened = [of_kind(records, "run")[0] for records in (failed, finished)]
    assert opened[0].run_id == opened[1].run_id
    codes = [of_kind(records, "exit")[0].exit_code for records in (failed, finished)]
    assert codes == [1, 0]
    first, second = ([place_of(row) for row in rows_of(where)] for where in (whole, cut))
    assert first == second
    assert len(first) == (4 if unit == "epochs" else 4 * (STEPS + 1))
    assert [numbers(row) for row in rows_of(whole)] == [numbers(row) for row in rows_of(cut)]


def place_of(row):
    return row["_step"], row["epoch"], row["step"], row.get("validation/loss")


def train_seven_batches(config, folder):
    """Train in this process, which kills itself before it trains on an eighth batch."""
    batch_outputs, count = MinimaxTrainer.batch_outputs, 0

    def killed(self, batch, for_training):
        nonlocal count
        count += for_training
        if count > 7:
            time.sleep(3)  # longer than wandb takes to flush
            os.kill(os.getpid(), signal.SIGKILL)
        return batch_outputs(self, batch, for_training)

    MinimaxTrainer.batch_outputs = killed
    train_model(Params(config), str(folder))


def test_a_run_that_was_killed_has_what_it_wrote(tmp_path):
    config = config_for(tmp_path, {**OFFLINE, "unit": "steps"}, {})
    wandb.teardown()  # its process is not the child's
    done = forked(lambda: train_seven_batches(config, tmp_path / "run"))
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    steps = [row["step"] for row in rows_of(tmp_path) if "training/loss.value" in row]
    assert steps == list(range(1, 8))
