"""The long training, for some seconds; and what is found where something grows."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import soak

from structured_energy.testing import data_config, evaluate_jsonnet, merged

MODEL = """{
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {
      encoder: {
        type: 'feedforward',
        feedforward: {num_layers: 1, hidden_dims: 4, activations: 'relu'},
      },
    },
    sampler: {type: 'inference-network', loss: 'cross-entropy'},
    metrics: ['example-f1'],
  },
  trainer: {type: 'minimax', optimizer: 'adam', validation_metric: '+example_f1'},
}"""


def steady(number, **growth):
    values = {"seconds": 1.0, "megabytes": 500.0, "files": 12, "kilobytes": 3000.0 + 5 * number}
    for name, by in growth.items():
        values[name] += by(number)
    return soak.Sample(**values)


@pytest.mark.parametrize(
    ("growth", "what"),
    [
        ({}, []),
        ({"megabytes": lambda n: 0.5 * n}, ["memory, MB"]),
        ({"seconds": lambda n: 0.01 * n}, ["time of a fast epoch, s"]),
        ({"seconds": lambda n: 3.0 * (n > 75 and n % 3 > 0)}, []),  # something else ran then
        ({"files": lambda n: n // 10}, ["files"]),
        ({"kilobytes": lambda n: n**2}, ["kB an epoch"]),
    ],
)
def test_what_grows_is_found(growth, what):
    findings = soak.judge([steady(number, **growth) for number in range(100)])
    assert [finding.what for finding in findings if finding.grows] == what


def test_too_short_a_run_tells_nothing():
    with pytest.raises(ValueError, match="at least 16 epochs, got 15"):
        soak.judge([steady(number) for number in range(15)])


def test_a_training_is_watched(tmp_path, monkeypatch, capsys):
    config = merged(data_config(tmp_path), evaluate_jsonnet(MODEL))
    monkeypatch.setattr(soak, "config_of", lambda data_set, method: config)
    monkeypatch.setattr(soak, "CALLBACKS", ["console-tree", "tree-to-csv"])
    monkeypatch.setattr(sys, "argv", ["soak.py", "--minutes", "0.05"])
    # Speed and memory of so short a run are judged by no test.
    monkeypatch.setattr(soak.Finding, "grows", property(lambda self: self.what == "files"))
    assert soak.main() == 1
    text = capsys.readouterr().out
    assert "epochs in 0.05 minutes" in text and "kB an epoch" in text and "grows" in text
    files = {sample.files for sample in soak.Watch.samples[4:]}
    assert len(files) == 1  # of all epochs after the first checkpoints
    assert all(sample.megabytes > 50 and sample.seconds > 0 for sample in soak.Watch.samples)
