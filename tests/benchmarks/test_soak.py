"""The long training, for some seconds; and what is found where something grows."""

import sys
from pathlib import Path

import pytest
from allennlp.training import TrainerCallback
from snippets import CROSS_ENTROPY

from benchmarks import soak
from structured_energy.testing import data_config, evaluate_jsonnet, merged

MODEL = CROSS_ENTROPY + "+ { trainer+: { validation_metric: '+example_f1' } }"


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


@TrainerCallback.register("leaking")
class Leaking(TrainerCallback):
    """Leaves a file behind in each epoch."""

    def on_epoch(self, trainer, metrics, epoch, is_primary=True):
        (Path(self.serialization_dir) / f"left_{epoch}.txt").write_text("left")


@pytest.mark.parametrize("leaks", [False, True])
def test_a_training_is_watched(tmp_path, monkeypatch, capsys, leaks):
    config = merged(data_config(tmp_path), evaluate_jsonnet(MODEL))
    callbacks = ["tree-to-csv", "leaking"] if leaks else ["console-tree", "tree-to-csv"]
    monkeypatch.setattr(soak, "config_of", lambda data_set, method: config)
    monkeypatch.setattr(soak, "CALLBACKS", callbacks)
    monkeypatch.setattr(sys, "argv", ["soak.py", "--minutes", "0.05"])
    status = soak.main()
    text = capsys.readouterr().out
    assert "epochs in 0.05 minutes" in text and "kB an epoch" in text
    # Speed and memory of so short a run may be anything; files are not.
    growing = {finding.what for finding in soak.judge(soak.Watch.samples) if finding.grows}
    assert ("files" in growing) == leaks
    assert status == (len(growing) > 0)
    grown = {line.split("│")[1].strip() for line in text.splitlines() if "grows" in line}
    assert grown == growing
    assert all(sample.megabytes > 50 and sample.seconds > 0 for sample in soak.Watch.samples)
