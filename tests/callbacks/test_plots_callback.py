"""Plots while a model is trained, and afterwards by the command."""

import json
from types import SimpleNamespace

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp
from PIL import Image

from structured_energy.callbacks import PlotsCallback, plots
from structured_energy.testing import train_snippet

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus', dropout: 0.3}"
MODEL = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'value-regression',
    sampler: 'random',
    inference: {{type: 'gradient-based-inference', num_steps: 3}},
    metrics: ['example-f1'],
    decoder: 'threshold',
  }},
  validation_data_loader: {{type: 'tensor', batch_size: 5, shuffle: true}},
  trainer: {{type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.01}}}},
}}"""
NAMES = ("calibration", "curves", "decoder", "labels", "path", "scores", "search_error")
FILES = sorted(f"{name}.{ending}" for name in NAMES for ending in ("png", "svg"))


def train(folder, *callbacks):
    return train_snippet(MODEL, folder, {"trainer": {"callbacks": list(callbacks)}})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    return folder / "run", train(folder, {"type": "plots", "every": 2})


def test_every_plot_is_there_and_training_is_what_it_were_without(run, tmp_path):
    folder, model = run
    assert sorted(path.name for path in (folder / "plots").iterdir()) == FILES
    for name in NAMES:
        assert min(Image.open(folder / "plots" / f"{name}.png").size) > 300
        assert (folder / "plots" / f"{name}.svg").read_text().rstrip().endswith("</svg>")
    plain = train(tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    first, second = (
        json.loads((where / "metrics.json").read_text()) for where in (folder, tmp_path / "run")
    )
    assert first["validation_example_f1"] == second["validation_example_f1"]


@pytest.mark.parametrize(
    ("settings", "first", "expected"),
    [
        ({}, 5.0, [3]),  # the training is over before there is time to draw
        ({}, 0.0, [1, 3]),  # the second is not due: the first has just taken 100 s
        ({"every": 1}, 5.0, [1, 2, 3, 3]),
        ({"every": 2}, 0.0, [2, 3]),
    ],
    ids=str,
)
def test_drawing_takes_a_small_share_of_the_time(tmp_path, monkeypatch, settings, first, expected):
    drawn, clock = [], SimpleNamespace(now=0.0)

    def draw(folder, model, batches):
        drawn.append(len(list(folder.glob("metrics_epoch_*.json"))))
        clock.now += 100.0

    monkeypatch.setattr(plots, "write_plots", draw)
    monkeypatch.setattr(plots, "FIRST", first)
    monkeypatch.setattr(plots, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    train(tmp_path, {"type": "plots", **settings})
    assert drawn == expected


def test_a_drawing_of_a_second_is_due_after_fifty(tmp_path, monkeypatch):
    callback = PlotsCallback(str(tmp_path))
    callback._seconds, callback._last = 1.0, 100.0
    for now, due in ((149.0, False), (151.0, True)):
        monkeypatch.setattr(plots, "time", SimpleNamespace(perf_counter=lambda now=now: now))
        assert callback._due(0) == due


def test_the_command_draws_a_run_that_was_killed(run, tmp_path):
    train(tmp_path)
    folder = tmp_path / "run"
    for name in ("model.tar.gz", "metrics.json"):  # what there is at the end alone
        (folder / name).unlink(missing_ok=True)
    result = allennlp("plots", folder, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (folder / "plots").iterdir()) == FILES
    listed = [line for line in result.stdout.splitlines() if "/plots/" in line]
    assert sorted(line.rpartition("/")[2] for line in listed) == FILES


def test_the_command_says_what_is_no_run(tmp_path):
    result = allennlp("plots", tmp_path, cwd=tmp_path)
    assert result.returncode != 0
    assert "Expected the folder of a run" in result.stderr


def test_bad_settings_raise(tmp_path):
    with pytest.raises(ConfigurationError, match="every of at least 1"):
        PlotsCallback(str(tmp_path), every=0)
    stand_in = type("Trainer", (), {"model": torch.nn.Linear(1, 1)})()
    with pytest.raises(ConfigurationError, match="got Linear"):
        PlotsCallback(str(tmp_path)).on_start(stand_in)
    with pytest.raises(ConfigurationError, match="Expected validation data"):
        train_snippet(
            MODEL,
            tmp_path,
            {"validation_data_path": None, "trainer": {"callbacks": ["plots"]}},
        )
