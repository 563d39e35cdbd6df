"""What is written of the tree while a model is trained, and that training does not notice."""

import copy
import csv
import itertools
import json
import operator
import os
import signal

import numpy as np
import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from component_names import names_of
from forked_command import forked
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from structured_energy.callbacks import (
    ConsoleTreeCallback,
    Reading,
    TreeCallback,
    TreeToCsvCallback,
    TreeToTensorboardCallback,
)
from structured_energy.testing import data_config, evaluate_jsonnet, merged, train_snippet
from structured_energy.training import MinimaxTrainer

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus', dropout: 0.3}"
# The second network begins in the third epoch, with values that were not there before.
MODEL = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'value-regression',
    sampler: {{type: 'gradient-based-inference', num_steps: 3}},
    inference: {{type: 'inference-network', loss: 'value'}},
    metrics: ['example-f1'],
    decoder: 'threshold',
  }},
  trainer: {{
    type: 'minimax', num_epochs: 5, optimizer: {{type: 'adamw', lr: 0.01}},
    networks: {{task_network: {{start_epoch: 2}}}},
  }},
}}"""
CALLBACKS = {"tree-to-csv", "tree-to-tensorboard", "tree-to-wandb", "console-tree"}
STEPS = 3  # of an epoch: 24 instances in batches of 8


def train(folder, *callbacks):
    return train_snippet(MODEL, folder, {"trainer": {"callbacks": list(callbacks)}})


def rows_of(folder, name="tree.csv"):
    with (folder / "run" / name).open() as file:
        reader = csv.DictReader(file)
        assert len(set(reader.fieldnames)) == len(reader.fieldnames)  # a column is there once
        return list(reader)


def metrics_of(folder, epoch):
    return json.loads((folder / "run" / f"metrics_epoch_{epoch}.json").read_text())


def comparable(metrics):
    """Without what is of the machine."""
    return {k: v for k, v in metrics.items() if "memory" not in k and "duration" not in k}


def events_of(folder, part):
    """What TensorBoard shows, all of it."""
    everything = {"scalars": 0, "histograms": 0, "images": 0}
    events = EventAccumulator(str(folder / "log" / "tree" / part), everything)
    events.Reload()
    return events


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    return folder, train(
        folder,
        "tree-to-csv",
        {"type": "tree-to-csv", "unit": "steps", "every": 2, "file_name": "steps.csv"},
        {"type": "tree-to-csv", "every": 2, "keys": ["loss.*", "example_?1"], "file_name": "a.csv"},
        "tree-to-tensorboard",
        "console-tree",
    )


def test_every_registered_callback_is_tested():
    registered = {
        name
        for name in names_of(TrainerCallback)
        if issubclass(TrainerCallback.by_name(name), TreeCallback)
    }
    assert registered == CALLBACKS


def test_a_row_for_each_epoch_has_what_metrics_has(run):
    folder, _ = run
    rows = rows_of(folder)
    assert [(row["epoch"], row["step"], row["batch"]) for row in rows] == [
        (str(epoch), str(STEPS * (epoch + 1)), "") for epoch in range(5)
    ]
    for epoch, row in enumerate(rows):
        expected = {
            name: value
            for name, value in comparable(metrics_of(folder, epoch)).items()
            if name.startswith(("training_", "validation_"))
        }
        assert "training_loss" in expected and "validation_example_f1" in expected
        found = {
            name: float(value) for name, value in row.items() if value and name not in PLACE_COLUMNS
        }
        assert found == expected
    # What is logged from the third epoch on has a column, empty before.
    late = [row["training_inference.loss.value"] for row in rows]
    assert late[:2] == ["", ""] and all(late[2:])


PLACE_COLUMNS = ("epoch", "step", "batch")


def test_a_row_for_every_second_step(run):
    folder, _ = run
    rows = rows_of(folder, "steps.csv")
    steps = [row for row in rows if row["batch"]]
    assert [int(row["step"]) for row in steps] == list(range(2, 5 * STEPS + 1, 2))
    assert [int(row["batch"]) for row in steps] == [2, 1, 3, 2, 1, 3, 2]
    assert all(row["training_loss.value"] and not row["validation_loss.value"] for row in steps)
    epochs = [row for row in rows if not row["batch"]]
    assert [int(row["epoch"]) for row in epochs] == list(range(5))
    for row in epochs:
        expected = metrics_of(folder, int(row["epoch"]))["validation_example_f1"]
        assert float(row["validation_example_f1"]) == expected
    # At the last step of an epoch it is the epoch's own mean.
    last = next(row for row in steps if row["batch"] == "3")
    expected = metrics_of(folder, int(last["epoch"]))["training_loss.value"]
    assert float(last["training_loss.value"]) == expected


def test_patterns_choose_the_columns(run):
    folder, _ = run
    rows = rows_of(folder, "a.csv")
    assert [row["epoch"] for row in rows] == ["1", "3"]
    names = {name for name in rows[0] if name not in PLACE_COLUMNS}
    assert names == {
        "validation_example_f1",
        *(
            f"{part}_loss.{key}"
            for part in ("training", "validation")
            for key in ("value", "oracle_value", "predicted_value")
        ),
    }


def test_training_is_what_it_were_without(run, tmp_path):
    folder, model = run
    plain = train(tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    for epoch in range(5):
        first, second = (comparable(metrics_of(where, epoch)) for where in (folder, tmp_path))
        assert first == second


def test_tensorboard_has_scalars_and_arrays(run):
    folder, _ = run
    for part in ("training", "validation"):
        events = events_of(folder / "run", part)
        found = {event.step: event.value for event in events.Scalars("loss.value")}
        expected = {epoch: metrics_of(folder, epoch)[f"{part}_loss.value"] for epoch in range(5)}
        assert found.keys() == expected.keys()
        np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6)
        histograms = events.Histograms("sampler.trajectory")
        assert [event.step for event in histograms] == list(range(5))
        # As many values as there are iterates.
        assert all(event.histogram_value.num == 4 for event in histograms)


def test_arrays_of_two_dimensions_are_images(tmp_path):
    callback = TreeToTensorboardCallback(str(tmp_path))
    callback.begin(0, 0)
    arrays = {"grey": np.eye(3), "colours": np.ones((4, 5, 3)), "more": np.ones((4, 5, 2))}
    callback.write(Reading(0, 7, {"training": {"a": 1.0}}, {"training": arrays}))
    callback.end()
    events = events_of(tmp_path, "training")
    assert set(events.Tags()["images"]) == {"grey", "colours"}
    assert set(events.Tags()["histograms"]) == set(arrays)
    ((image,), (grey,)) = events.Images("colours"), events.Images("grey")
    assert (image.width, image.height) == (5, 4) and (grey.width, grey.height) == (3, 3)


def train_until(batches, config, folder, recover):
    """Train in this process, which kills itself before it trains on one batch more."""
    batch_outputs, count = MinimaxTrainer.batch_outputs, 0

    def killed(self, batch, for_training):
        nonlocal count
        count += for_training
        if count > batches:
            os.kill(os.getpid(), signal.SIGKILL)
        return batch_outputs(self, batch, for_training)

    MinimaxTrainer.batch_outputs = killed
    train_model(Params(copy.deepcopy(config)), str(folder), recover=recover)


@pytest.mark.parametrize(
    ("batches", "checkpoint"),
    [(2, {}), (7, {}), (9, {}), (8, {"save_every_num_batches": 2, "keep_most_recent_by_count": 9})],
    ids=["in the first epoch", "in an epoch", "between epochs", "from within an epoch"],
)
def test_a_run_that_was_killed_continues_its_files(tmp_path, batches, checkpoint):
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(MODEL))
    config["trainer"]["checkpointer"] = checkpoint
    config["trainer"]["callbacks"] = [
        "tree-to-csv",
        {"type": "tree-to-csv", "unit": "steps", "file_name": "steps.csv"},
        {"type": "tree-to-tensorboard", "unit": "steps"},
        "console-tree",
    ]

    def training(where, count, recover):
        return forked(lambda: train_until(count, config, where / "run", recover))

    whole = training(tmp_path / "whole", 1000, False)
    assert whole.returncode == 0, whole.stderr
    cut = tmp_path / "cut"
    assert training(cut, batches, False).returncode == -signal.SIGKILL
    for name in ("tree.csv", "steps.csv"):  # a line that was being written
        if (cut / "run" / name).exists():
            with (cut / "run" / name).open("a") as file:
                file.write("4,15,1,0.2")
    again = training(cut, 1000, True)
    assert again.returncode == 0, again.stderr

    def both(read):
        first, second = read(tmp_path / "whole"), read(cut)
        assert len(first) > 4 and first == second

    places = operator.itemgetter("epoch", "step", "batch", "validation_loss.value")
    for name in ("tree.csv", "steps.csv"):
        both(lambda folder, name=name: [places(row) for row in rows_of(folder, name)])
    curves = [events_of(where / "run", "training") for where in (tmp_path / "whole", cut)]
    first, second = (curve.Scalars("loss.value") for curve in curves)
    assert [event.step for event in first] == [event.step for event in second]
    both(rows_of)
    both(lambda folder: rows_of(folder, "steps.csv"))
    assert [event.value for event in first] == [event.value for event in second]
    # The change is that since the table before, which an earlier process has printed.
    both(lambda folder: last_table((whole if folder.name == "whole" else again).stdout))


def last_table(text):
    lines = text[text.rindex("\nepoch ") + 1 :].splitlines()
    # The paths of the results follow, which differ by run.
    return list(itertools.takewhile(lambda line: not line.startswith("Metrics: "), lines))


def reading(epoch, training, validation):
    return Reading(epoch, 3, {"training": training, "validation": validation}, {})


def test_the_console_shows_the_tree_with_changes_and_the_best(tmp_path, capsys):
    callback = ConsoleTreeCallback(str(tmp_path))
    callback._best, callback._best_epoch = {"f1": 0.5, "loss.value": 2.0}, 0
    callback.write(reading(0, {"loss.value": 3.0}, {"f1": 0.5, "loss.value": 2.0}))
    callback.write(
        reading(
            1,
            {"loss.value": 2.5, "loss.part.value": 1.0, "sampler.steps": 4},
            {"f1": 0.25, "loss.value": 2.25},
        )
    )
    text = capsys.readouterr().out
    assert "\x1b" not in text  # no terminal, no colours
    text = "\n".join(line.rstrip() for line in text.splitlines())
    first, second = text.split("epoch 1, step 3\n")
    lines = [line.split() for line in first.splitlines()]
    assert lines == [
        ["epoch", "0,", "the", "best", "so", "far"],
        ["training", "change", "validation", "change", "best,", "epoch", "0"],
        ["f1", "0.5", "0.5"],
        ["loss"],
        ["value", "3", "2", "2"],
    ]
    lines = second.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["f1", "0.25", "-0.25", "0.5"],
        ["loss"],
        ["value", "2.5", "-0.5", "2.25", "+0.25", "2"],
        ["part"],
        ["value", "1"],
        ["sampler"],
        ["steps", "4"],
    ]
    indents = [len(line) - len(line.lstrip()) for line in lines[1:]]
    assert indents == [1, 1, 3, 3, 5, 1, 3]


def test_what_cannot_be_read_raises(tmp_path):
    for settings in ({"every": 0}, {"unit": "batches"}):
        with pytest.raises(ConfigurationError, match="Expected every of at least 1"):
            TreeToCsvCallback(str(tmp_path), **settings)
    with pytest.raises(ConfigurationError, match="got Linear"):
        trainer = type("Trainer", (), {"model": torch.nn.Linear(1, 1)})()
        TreeToCsvCallback(str(tmp_path)).on_start(trainer)
