"""The commands of AllenNLP on a real archive, from another folder than the repository's root."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from allennlp.data import Batch
from allennlp.models.archival import load_archive
from forked_command import allennlp

from structured_energy.metrics import ExampleF1
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
    metrics: ['example-f1'],
    decoder: 'threshold',
  }},
  trainer: {{
    type: 'minimax', num_epochs: 2, patience: 2, optimizer: {{type: 'adamw', lr: 0.01}},
    validation_metric: '+sampler.loss.oracle_cost', callbacks: ['tensorboard'],
  }},
}}"""
ROOT = Path(__file__).resolve().parents[1]


def run(command, folder, *arguments):
    return allennlp(command, *arguments, cwd=folder)


def run_anew(command, folder, *arguments):
    """Run a command in a process that has not imported the package, and finds it by its entry
    point."""
    return subprocess.run(
        [sys.executable, "-m", "allennlp", command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    config = merged(data_config(folder / "data"), evaluate_jsonnet(SNIPPET))
    config["test_data_path"] = config["validation_data_path"]
    config["evaluate_on_test"] = True
    (folder / "config.json").write_text(json.dumps(config))
    result = run("train", folder, "config.json", "-s", "run")
    assert result.returncode == 0, result.stderr[-3000:]
    return folder, config, result


def test_train_shows_the_tree_and_writes_it(trained):
    folder, _, result = trained
    console = result.stdout + result.stderr
    assert console.count("model (StructuredEnergyModel)") == 1
    assert "└── sampler (InferenceNetworkSampler)" in console
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    for part in ("training", "validation", "best_validation", "test"):
        for key in ("loss.ground_truth_score", "sampler.loss.cost_augmented_score"):
            assert isinstance(metrics[f"{part}_{key}"], float)
            assert key in console
    assert list((folder / "run" / "log").glob("*/events*"))


def test_training_prints_no_warning_of_the_stack(trained):
    console = trained[2].stdout + trained[2].stderr
    warnings = [
        line
        for line in console.splitlines()
        if "Warning" in line and "Failed to load image" not in line
    ]
    assert warnings == []


def test_evaluate_gives_the_test_metrics(trained):
    folder, config, _ = trained
    data = config["test_data_path"]
    result = run("evaluate", folder, "run/model.tar.gz", data, "--output-file", "evaluated.json")
    assert result.returncode == 0, result.stderr[-3000:]
    evaluated = json.loads((folder / "evaluated.json").read_text())
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert evaluated.keys() > {"loss", "example_f1", "sampler.loss.value"}
    evaluated.pop("loss")  # AllenNLP's mean of means over shuffled batches
    for key, value in evaluated.items():
        assert value == pytest.approx(metrics[f"test_{key}"], abs=1e-6), key


def test_predict_on_json_lines_and_on_data(trained):
    folder, config, _ = trained
    (folder / "lines.jsonl").write_text(
        '{"features": [0.5, -1, 0, 2, 1]}\n{"features": {"feature_0": 0.5, "feature_3": 2}}\n'
    )
    result = run(
        "predict", folder, "run/model.tar.gz", "lines.jsonl", "--output-file", "out", "--silent"
    )
    assert result.returncode == 0, result.stderr[-3000:]
    lines = [json.loads(line) for line in (folder / "out").read_text().splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert len(line["probabilities"]) == 4
        assert all(
            line["probabilities"][int(name[-1])] == pytest.approx(score)
            for name, score in line["labels"].items()
        )
        every = line["label_probabilities"]
        assert [*every.values()] == sorted(line["probabilities"], reverse=True)
        assert all(line["probabilities"][int(name[-1])] == p for name, p in every.items())
    data = config["validation_data_path"]
    flags = ["--use-dataset-reader", "--batch-size", "5", "--silent", "--output-file", "rows"]
    result = run("predict", folder, "run/model.tar.gz", data, *flags)
    assert result.returncode == 0, result.stderr[-3000:]
    assert len((folder / "rows").read_text().splitlines()) == 12


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_an_overridden_threshold_wins_over_the_fitted_one(trained, tmp_path, command):
    folder, config, _ = trained
    fixed = json.dumps({"model.decoder": {"type": "threshold", "threshold": 0.6}})
    data = config["validation_data_path"]
    flags = ["--output-file", tmp_path / "out", "-o", fixed]
    if command == "predict":
        flags += ["--use-dataset-reader", "--silent"]
    result = run(command, folder, "run/model.tar.gz", data, *flags)
    assert result.returncode == 0, result.stderr[-3000:]
    output = result.stdout + result.stderr
    assert "The config sets 'decoder.threshold' to 0.6; the value saved with the weights" in output
    if command == "predict":
        lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
        probabilities = [p for line in lines for p in line["probabilities"]]
        chosen = [p for line in lines for p in line["labels"].values()]
        assert min(probabilities) < 0.6 < max(probabilities)
        assert sorted(chosen) == pytest.approx(sorted(p for p in probabilities if p > 0.6))
        return
    archive = load_archive(folder / "run" / "model.tar.gz")
    archive.model.eval()
    metric = ExampleF1()
    instances = list(archive.validation_dataset_reader.read(data))
    for instance in instances:
        instance.index_fields(archive.model.vocab)
        batch = Batch([instance]).as_tensor_dict()
        predicted = archive.model(**batch)["probabilities"]
        metric(predicted, predicted > 0.6, batch["labels"])
    evaluated = json.loads((tmp_path / "out").read_text())
    assert evaluated["example_f1"] == pytest.approx(metric.get_metric(), abs=1e-6)
    tuned = json.loads((folder / "run" / "metrics.json").read_text())["best_validation_example_f1"]
    assert evaluated["example_f1"] != pytest.approx(tuned, abs=1e-3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"x": [1]}', "key 'features' .*got the keys"),
        ('{"features": [1, 2]}', "Expected 5 features, as in the training data, got 2"),
        ('{"features": {"featur": 1}}', "got 'featur'"),
        ('{"features": 5}', "features as a list of numbers, or as a dictionary of them"),
        ('{"features": [1, 2, 3, 4, null]}', "finite number .* for the feature 'feature_4'"),
        ('{"features": [1, 2, 3, 4, 1e39]}', "of single precision for the feature 'feature_4'"),
        ("[1, 2]", r"a line that is a dictionary in JSON, got '\[1, 2\]'"),
        ('{"features"', "a line that is JSON, got '{\"features\"': Expecting ':'"),
        ("id,age", "got 'id,age': .*; --use-dataset-reader reads a data set"),
    ],
)
def test_bad_lines_are_named(trained, line, message):
    from allennlp.predictors import Predictor

    predictor = Predictor.from_archive(load_archive(trained[0] / "run" / "model.tar.gz"))
    with pytest.raises(ValueError, match=message):
        predictor.predict_json(predictor.load_line(line))


def test_find_lr_and_print_results(trained):
    folder, _, _ = trained
    result = run("find-lr", folder, "config.json", "-s", "lr", "--num-batches", "12")
    assert result.returncode == 0, result.stderr[-3000:]
    assert (folder / "lr" / "lr-losses.png").stat().st_size > 1000
    result = run("print-results", folder, ".", "--keys", "test_example_f1")
    assert "run/metrics.json, 0." in result.stdout


def test_compare_and_report(trained, tmp_path):
    folder, _, _ = trained
    shutil.copytree(folder / "run", tmp_path / "other")
    config = json.loads((folder / "run" / "config.json").read_text())
    config["trainer"]["patience"] = 3  # another method, of the same weights
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    value = json.loads((folder / "run" / "metrics.json").read_text())["test_example_f1"]
    both = (folder / "run", tmp_path / "other")
    flags = ["--format", "csv", "--resamples", "50"]
    first = run_anew("compare", ROOT, *both, *flags)
    assert first.returncode == 0, first.stderr[-3000:]
    names = [row["method"] for row in csv.DictReader(first.stdout.splitlines())]
    flags += ["--baseline", names[0]]
    result = run("compare", tmp_path, *both, *flags)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "expected the example_f1" not in result.stderr  # predicted again it is the same
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [float(row["mean"]) for row in rows] == [value, value]
    assert rows[0]["p"] == "" and float(rows[1]["difference"]) == 0.0
    assert float(rows[1]["p"]) == 1.0
    result = run("report", tmp_path, *both, "--output", "both.html")
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.splitlines()[-1] == "both.html"
    assert "predicting" in result.stderr  # a progress bar
    assert f"{value:.4g}" in (tmp_path / "both.html").read_text()


def test_from_the_root_no_include_package_is_needed(trained, tmp_path):
    folder, _, _ = trained
    result = run_anew("train", ROOT, folder / "config.json", "-s", tmp_path / "run")
    assert result.returncode == 0, result.stderr[-3000:]


def test_bad_data_ends_with_one_sentence_and_an_exit_code(trained, tmp_path):
    folder, config, _ = trained
    text = Path(config["train_data_path"]).read_text().replace("@data\n", "@data\n1,2\n")
    (tmp_path / "bad-train.arff").write_text(text)
    (tmp_path / "bad.xml").write_text((folder / "data" / "problem.xml").read_text())
    config = {**config, "train_data_path": str(tmp_path / "bad-train.arff")}
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = run("train", tmp_path, "config.json", "-s", "run")
    assert result.returncode != 0
    last = (result.stdout + result.stderr).strip().splitlines()[-1]
    assert last.endswith("bad-train.arff, line 12: expected 9 values, got 2.")
