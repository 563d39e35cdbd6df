"""The console of commands: few lines that fit the terminal, with the numbers of the files."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from allennlp.commands.evaluate import evaluate_from_archive
from allennlp.training import util as training_util
from forked_command import allennlp, begin, command, wait

from structured_energy.compatibility import progress
from structured_energy.testing import data_config, evaluate_jsonnet, merged

FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus'}"
SNIPPET = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'margin-based',
    sampler: {{type: 'inference-network', loss: 'inference'}},
    metrics: ['micro-f1', 'macro-f1', 'hamming-loss', 'map-label', 'example-f1'],
  }},
  trainer: {{
    type: 'minimax', num_epochs: 3, patience: 3, optimizer: {{type: 'adamw', lr: 0.01}},
    validation_metric: '+example_f1',
  }},
  evaluate_on_test: true,
}}"""
TREE = 14  # lines of the tree of this model
MODULE = (sys.executable, "-m", "allennlp")
SCRIPT = (str(Path(sys.executable).with_name("allennlp")),)


@pytest.fixture(scope="module", autouse=True)
def no_columns():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield


def run(folder, *arguments, start=(), **settings):
    """Run a command without a terminal; return the lines of stdout and of stderr.

    The process is forked, or begins with `start` and shows what the imports print.
    """
    arguments = (*map(str, arguments), "--include-package", "structured_energy")
    if start:
        done = subprocess.run(
            [*start, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **settings},
            timeout=300,
        )
    else:
        done = allennlp(*arguments, cwd=folder, environment=settings)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines(), done.stderr.splitlines()


def run_in_terminal(folder, *arguments, columns=80):
    """Run a command in a terminal with this number of columns; return its output."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = begin(lambda: command(arguments, folder), inside, inside)
    os.close(inside)
    received = b""
    try:
        while part := os.read(terminal, 65536):
            received += part
    except OSError:  # the end, on Linux
        pass
    os.close(terminal)
    assert wait(process) == 0, received.decode()[-3000:]
    return re.sub(r"\x1b\[[0-9;]*m", "", received.decode())


def write_config(folder, over=None):
    config = merged(data_config(folder / "data"), evaluate_jsonnet(SNIPPET))
    config["test_data_path"] = config["validation_data_path"]
    (folder / "config.json").write_text(json.dumps(merged(config, over or {})))
    return config


def read(folder, name="metrics.json"):
    return json.loads((folder / "run" / name).read_text())


def cells(lines):
    """Return the numbers of a framed table by the name of the row."""
    rows = (re.split(r"\s*│\s*", line.strip("│ ")) for line in lines if line.endswith("│"))
    return {name: [float(value) for value in values] for name, *values in rows}


def epochs(lines):
    """Return the header of the table of epochs, and the cells of each line."""
    header = next(number for number, line in enumerate(lines) if line.startswith("    epoch"))
    rows = [line for line in lines if re.match(r" *\d+/\d+ ", line)]
    names = [name for name in re.split(r"\s{2,}", lines[header].strip()) if name]
    return names, [re.split(r"\s{2,}", row.strip()) for row in rows]


def close(value):
    return pytest.approx(value, rel=5e-4)  # four digits


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    config = write_config(folder)
    return folder, config, *run(folder, "train", "config.json", "-s", "run", start=MODULE)


def test_training_prints_few_lines_that_fit(trained):
    folder, _, out, err = trained
    assert err == []
    assert max(map(len, out)) <= 80
    tree = out.index("model (StructuredEnergyModel)")
    assert sum("StructuredEnergyModel" in line for line in out) == 1
    assert out[tree + TREE].startswith("Metrics of the validation data")
    table = 4 + len(cells(out))
    # place of the run, title of the tree, tree, legend, header, epochs, table, two files
    assert len(out) == 1 + 1 + TREE + 2 + 3 + table + 2
    assert out[0] == "The run is in run, its log in out.log."
    assert out[-1].endswith("run/model.tar.gz") and (folder / "run" / "model.tar.gz").exists()


def test_a_line_has_the_numbers_of_its_epoch(trained):
    folder, _, out, _ = trained
    names, rows = epochs(out)
    # The validation metric, which is the last of the model's, comes first.
    assert names[:4] == ["epoch", "loss", "validation loss", "example_f1"]
    assert names[-1] == "time" and len(rows) == 3
    for epoch, row in enumerate(rows):
        metrics = read(folder, f"metrics_epoch_{epoch}.json")
        assert row[0] == f"{epoch}/2"
        assert float(row[1]) == close(metrics["training_loss"])
        assert float(row[2]) == close(metrics["validation_loss"])
        for name, value in zip(names[3:-1], row[3:], strict=False):
            assert float(value) == close(metrics[f"validation_{name}"])
        assert row[-1].endswith("*") == (metrics["best_epoch"] == epoch)


def test_the_result_has_the_numbers_of_the_files(trained):
    folder, _, out, _ = trained
    metrics = read(folder)
    rows = cells(out)
    names = [key.removeprefix("test_") for key in metrics if key.startswith("test_")]
    assert rows.keys() == set(names) and len(names) > 15
    for name, (validation, test) in rows.items():
        assert validation == close(metrics[f"best_validation_{name}"])
        assert test == close(metrics[f"test_{name}"])
    (header,) = (line for line in out if line.startswith("┃"))
    assert f"validation, epoch {metrics['best_epoch']}" in header


def test_the_log_has_more_than_the_console(trained):
    folder, _, out, _ = trained
    log = (folder / "run" / "out.log").read_text()
    for part in (
        "allennlp.common.params - trainer.patience = 3",
        "Tunable (with gradient)",
        "batch_input/x (Shape: 8 x 5)",
        "Epoch 2/2",
        "console_logger - sampler.loss.value",
        '"test_example_f1"',
        "model (StructuredEnergyModel)",
        *(line for line in out if re.match(r" *\d+/\d+ ", line)),
    ):
        assert part in log, part


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_terminal_is_wide_enough(tmp_path, columns):
    write_config(tmp_path)
    shown = run_in_terminal(tmp_path, "train", "config.json", "-s", "run", columns=columns)
    states = [state for line in shown.split("\r\n") for state in line.split("\r")]
    framed = [state for state in states if state.startswith(("┏", "┃", "┡", "│", "└"))]
    assert max(len(state) for state in states if state not in framed) <= columns
    bars = [state for state in states if re.search(r"%\|[# \d]+\| \d/3 \[", state)]
    assert len(bars) >= 3  # of training
    # The lines that remain after the bars.
    lines = [line.rpartition("\r")[2] for line in shown.split("\r\n")]
    assert not any("it/s" in line for line in lines)
    names, rows = epochs(lines)
    assert len(rows) == 3
    shown = {60: 0, 80: 2, 140: 5}[columns]
    metrics = ["example_f1", "micro_f1", "macro_f1", "hamming_loss", "map_label"][:shown]
    expected = ["loss", "validation loss", *metrics] if shown else ["loss", "example_f1"]
    assert names == ["epoch", *expected, "time"]


@pytest.mark.parametrize("start", [(), SCRIPT], ids=["forked", "script"])
def test_evaluate_prints_the_metrics(trained, start):
    folder, config, _, _ = trained
    data = config["test_data_path"]
    out, err = run(folder, "evaluate", "run/model.tar.gz", data, start=start)
    assert err == []
    assert out[0] == f"run/model.tar.gz on {data}:"
    metrics = read(folder)
    rows = cells(out)
    assert rows.keys() == {key[len("test_") :] for key in metrics if key.startswith("test_")}
    rows.pop("loss")  # AllenNLP's mean of means over shuffled batches
    for name, (value,) in rows.items():
        assert value == close(metrics[f"test_{name}"])


def test_evaluate_prints_json(trained):
    folder, config, _, _ = trained
    arguments = ("evaluate", "run/model.tar.gz", config["test_data_path"], "--output-file")
    out, err = run(folder, *arguments, "-")
    assert err == [] and not (folder / "-").exists()
    printed = json.loads("\n".join(out))
    assert cells(run(folder, *arguments, "evaluated.json")[0]).keys() == printed.keys()
    written = json.loads((folder / "evaluated.json").read_text())
    assert printed.pop("loss") > 0 and written.pop("loss") > 0
    assert printed == pytest.approx(written)


def test_a_program_that_evaluates_prints_nothing(trained, capsys):
    folder, config, _, _ = trained
    metrics = evaluate_from_archive(folder / "run" / "model.tar.gz", config["test_data_path"])
    assert metrics["example_f1"] == pytest.approx(read(folder)["test_example_f1"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("start", [(), SCRIPT], ids=["forked", "script"])
def test_predict_prints_only_predictions(trained, start):
    folder, *_ = trained
    (folder / "line.jsonl").write_text('{"features": [0.5, -1, 0, 2, 1]}\n')
    out, err = run(folder, "predict", "run/model.tar.gz", "line.jsonl", start=start)
    assert err == []
    assert [line.partition(":")[0] for line in out if line] == ["input 0", "prediction"]


def test_the_level_of_allennlp_brings_its_lines_back(trained):
    folder, *_ = trained
    (folder / "line.jsonl").write_text('{"features": [0.5, -1, 0, 2, 1]}\n')
    arguments = ("predict", "run/model.tar.gz", "line.jsonl")
    _, err = run(folder, *arguments, start=MODULE, ALLENNLP_LOG_LEVEL="INFO")
    assert any("allennlp.common.params - model.type = structured-energy" in line for line in err)
    assert not any("already been registered" in line for line in err)


def test_a_warning_is_printed(tmp_path):
    write_config(tmp_path, {"trainer": {"patience": None, "num_epochs": 1}})
    _, err = run(tmp_path, "train", "config.json", "-s", "run")
    (line,) = err
    assert line.startswith("WARNING - allennlp.training") and "patience" in line


@pytest.mark.parametrize("last", [2, 9])
def test_early_stopping_is_said(tmp_path, last):
    trainer = {"optimizer": {"type": "sgd", "lr": 1e-12}, "patience": 2, "num_epochs": last + 1}
    write_config(tmp_path, {"trainer": trainer})
    out, _ = run(tmp_path, "train", "config.json", "-s", "run")
    said = [line for line in out if line.startswith("Stopped")]
    line = "Stopped after epoch 2: example_f1 was no better for 2 epochs."
    assert said == ([line] if last > 2 else [])


def test_recovery_says_where_it_resumes(tmp_path):
    write_config(tmp_path, {"trainer": {"num_epochs": 2}})
    run(tmp_path, "train", "config.json", "-s", "run")
    for name in ("metrics.json", "model.tar.gz"):
        (tmp_path / "run" / name).unlink()
    out, err = run(tmp_path, "train", "config.json", "-s", "run", "--recover")
    assert err == []
    assert out[1] == "Resuming after 2 epochs."
    assert not any(re.match(r" *\d+/\d+ ", line) for line in out)
    assert cells(out)["example_f1"][1] == close(read(tmp_path)["test_example_f1"])


@pytest.mark.parametrize("flags", [[], ["--file-friendly-logging"]], ids=str)
def test_two_workers_print_as_one_does(tmp_path, flags):
    write_config(tmp_path, {"distributed": {"cuda_devices": [-1, -1]}})
    out, err = run(tmp_path, "train", "config.json", "-s", "run", *flags)
    assert err == []
    assert out[0] == "The run is in run, its log in out_worker0.log."
    assert len(out) == 1 + 1 + TREE + 2 + 3 + 4 + len(cells(out)) + 2
    assert cells(out)["example_f1"][1] == close(read(tmp_path)["test_example_f1"])
    log = (tmp_path / "run" / "out_worker0.log").read_text()
    assert "allennlp.common.params - trainer.patience = 3" in log


def test_console_tree_is_not_repeated(tmp_path):
    callback = {"type": "console-tree", "every": 2}
    write_config(tmp_path, {"trainer": {"callbacks": [callback]}})
    out, _ = run(tmp_path, "train", "config.json", "-s", "run")
    _, rows = epochs(out)
    assert [row[0] for row in rows] == ["0/2", "2/2"]
    assert sum(line.startswith("epoch 1, ") for line in out) == 1


class Terminal(list):
    """A list of the written texts."""

    write = list.append

    def __init__(self, isatty):
        super().__init__()
        self.isatty = lambda: isatty


@pytest.mark.parametrize("friendly", [False, True])
@pytest.mark.parametrize("isatty", [False, True])
def test_an_hour_without_a_terminal_is_a_line_each_ten_seconds(monkeypatch, isatty, friendly):
    now = 0.0
    stderr = Terminal(isatty)
    monkeypatch.setattr(progress, "time", lambda: now)
    monkeypatch.setattr(progress.sys, "stderr", stderr)
    monkeypatch.setattr(progress.common_logging, "FILE_FRIENDLY_LOGGING", friendly)
    writer = progress.ProgressWriter()
    for tenth in range(1, 36001):
        now = tenth / 10
        writer.write(f"\rloss 1.0:  {tenth}")
    if isatty and not friendly:
        assert len(stderr) == 36000
    else:
        assert len(stderr) == 360
        assert stderr[0] == "loss 1.0:  100\n"


def test_a_bar_shows_the_loss_and_the_validation_metric():
    metrics = {f"sampler.loss.part_{number}": 0.5 for number in range(40)}
    metrics = {**metrics, "example_f1": 0.25, "batch_loss": 3.0, "loss": 2.0}
    try:
        progress.describe_with(["example_f1"])
        text = training_util.description_from_metrics(metrics)
    finally:
        progress.describe_with([])
    assert text == "loss: 2.0000, example_f1: 0.2500"
    assert training_util.description_from_metrics({}) == ""
