"""Decoders that are fitted to finished runs, against scikit-learn and training with them."""

import json

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.archival import load_archive
from forked_command import allennlp
from sklearn.metrics import f1_score
from snippets import MARGIN_BASED

from structured_energy.reporting import (
    Run,
    decode_run,
    default_decoders,
    find_runs,
    label_of,
    load_data,
    load_model,
    methods_of,
    model_of,
    save_with_decoder,
)
from structured_energy.reporting.decoding import build_decoder
from structured_energy.testing import train_snippet, write_arff

OF_TRAINING = ["example-f1", "subset-accuracy"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of one method, that differ in their seed, in a folder of their own."""
    folder = tmp_path_factory.mktemp("runs")
    paths = {
        f"{part}_data_path": str(write_arff(folder / "data", part, rows, seed=rows))
        for part, rows in (("train", 24), ("validation", 14), ("test", 12))
    }
    for seed in (1, 2):
        over = {
            "random_seed": seed,
            **paths,
            "evaluate_on_test": True,
            "model": {"metrics": OF_TRAINING},
            "trainer": {"num_epochs": 3, "validation_metric": "+example_f1"},
        }
        for key in ("numpy_seed", "pytorch_seed"):
            over[key] = seed
        train_snippet(MARGIN_BASED, folder / f"seed_{seed}", over)
        (folder / "margin").mkdir(exist_ok=True)
        (folder / f"seed_{seed}" / "run").rename(folder / "margin" / f"seed_{seed}")
    return folder / "margin"


@pytest.fixture(scope="module")
def decoded(runs):
    """The first run, with its decoders."""
    folder = runs / "seed_1"
    return folder, decode_run(folder, with_test=True)


def outputs_of(folder, model, part):
    """Return the probabilities, the outputs of the model's decoder and the labels of the data."""
    path = json.loads((folder / "config.json").read_text())[f"{part}_data_path"]
    found = []
    for batch in load_data(folder, model.vocab, path):
        with torch.no_grad():
            prediction = model(x=batch["x"])["prediction"]
        outputs = model.decoder.decode(prediction)
        found.append((prediction.probabilities, outputs, batch["labels"].bool()))
    return [torch.cat(part).numpy() for part in zip(*found, strict=True)]


def f1(labels, outputs):
    return f1_score(labels, outputs, average="samples", zero_division=1.0)


def test_all_decoders_for_sets_of_labels_are_fitted(decoded):
    folder, found = decoded
    configs = default_decoders(load_model(folder))
    assert list(found) == [label_of(config) for config in configs]
    assert {"threshold", "relative", "expected-f1", "minimum-bayes-risk", "rerank"} < set(found)
    entries = json.loads((folder / "decoders.json").read_text())
    for name, each in found.items():
        assert entries[name]["validation"] == each.metrics["validation"]
        assert entries[name]["parameters"] == each.decoder.fitted_values()
        assert each.metrics["test"].keys() == {"example_f1", "subset_accuracy"}


def test_the_decoder_of_the_config_has_the_values_of_training(decoded):
    """The run was trained with the decoder 'threshold'."""
    folder, found = decoded
    run = Run.read(folder)
    for part in ("validation", "test"):
        for metric in ("example_f1", "subset_accuracy"):
            expected = run.metrics[part][metric]
            assert found["threshold"].metrics[part][metric] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["relative", "per-label", "expected-f1", "rerank"])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_metrics_are_scikit_learn_s_of_the_outputs(decoded, name, part):
    folder, found = decoded
    model = model_of(Run.read(folder).with_decoder(name))
    assert model.decoder.fitted_values() == found[name].decoder.fitted_values()
    _, outputs, labels = outputs_of(folder, model, part)
    assert found[name].metrics[part]["example_f1"] == pytest.approx(f1(labels, outputs))


def test_the_test_data_do_not_change_what_is_fitted(decoded):
    folder, found = decoded
    again = decode_run(folder, ["relative"])
    assert again["relative"].decoder.fitted_values() == found["relative"].decoder.fitted_values()
    model = load_model(folder)
    p, _, labels = outputs_of(folder, model, "validation")
    share = p / p.max(1, keepdims=True)
    grid = [np.float32(i / 100) for i in range(1, 100)]
    best = max(f1(labels, share > e) for e in grid)
    assert again["relative"].metrics["validation"]["example_f1"] == pytest.approx(best)


def test_the_best_decoder_is_that_of_the_validation_data(decoded):
    folder, found = decoded
    values = {name: each.metrics["validation"]["example_f1"] for name, each in found.items()}
    best = Run.read(folder).with_decoder("best")
    assert values[best.decoder] == max(values.values())
    assert best.metrics["test"] == found[best.decoder].metrics["test"]


def test_runs_with_other_decoders_are_other_methods(runs, decoded):
    decode_run(runs / "seed_2", ["relative", "threshold"], with_test=True)
    read = [Run.read(folder) for folder in find_runs([runs])]
    with_decoders = [run.with_decoder(name) for name in ("relative", "threshold") for run in read]
    methods = methods_of(with_decoders)
    assert [method.name for method in methods] == ["margin [relative]", "margin [threshold]"]
    assert [len(method.runs) for method in methods] == [2, 2]
    assert [method.name for method in methods_of(read)] == ["margin"]


def test_unknown_decoders_are_named(runs, decoded, tmp_path):
    folder, _ = decoded
    with pytest.raises(ValueError, match="one of .*'relative'.* or 'best', got 'relativ'"):
        Run.read(folder).with_decoder("relativ")
    with pytest.raises(ConfigurationError, match="\"relativ\".*did you mean 'relative'"):
        decode_run(folder, ["relativ"])
    with pytest.raises(ConfigurationError, match="proportoin"):
        decode_run(folder, [{"type": "relative", "proportoin": 0.3}])
    train_snippet(MARGIN_BASED, tmp_path)
    with pytest.raises(ValueError, match="got no decoders.json in it; `allennlp decode` writes it"):
        Run.read(tmp_path / "run").with_decoder("relative")
    with pytest.raises(ValueError, match="a run with test data, got one without"):
        decode_run(tmp_path / "run", ["relative"], with_test=True)


def test_the_metric_of_a_config_is_that_of_the_decoder(decoded, caplog):
    model = load_model(decoded[0])
    own = build_decoder(model, {"type": "relative", "metric": "micro-f1"})
    assert type(own.metric).__name__ == "MicroF1"
    assert type(build_decoder(model, "relative").metric) is type(model.decoder.metric)
    assert "extras" not in caplog.text


def test_a_run_is_saved_with_its_decoder(decoded, tmp_path):
    folder, found = decoded
    run = Run.read(folder).with_decoder("relative")
    save_with_decoder(run, tmp_path / "saved")
    model = load_archive(tmp_path / "saved" / "model.tar.gz").model
    assert type(model.decoder).__name__ == "RelativeDecoder"
    assert model.decoder.fitted_values() == found["relative"].decoder.fitted_values()
    again = Run.read(tmp_path / "saved")
    assert again.metrics == {
        part: pytest.approx(found["relative"].metrics[part]) for part in ("test", "validation")
    }
    assert again.config["model"]["decoder"] == "relative"
    with pytest.raises(ValueError, match="a new folder"):
        save_with_decoder(run, tmp_path / "saved")


def test_the_commands_show_decoders(runs, decoded, tmp_path):
    result = allennlp(
        "decode", runs / "seed_1", "--decoder", "relative", '{"type": "top-k", "k": 2}', "--test",
        "--save", tmp_path / "saved", "--format", "markdown", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    assert "[relative]" in result.stdout and "[top-k(k=2)]" in result.stdout
    assert "validation data" in result.stdout and "test data" in result.stdout
    assert (tmp_path / "saved" / "model.tar.gz").exists()
    for command in ("compare", "results"):
        result = allennlp(
            command, runs / "seed_1", "--decoder", "relative", "best", "--part", "test",
            "--format", "markdown", cwd=tmp_path,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr[-3000:]
        assert "[relative]" in result.stdout and "[best]" in result.stdout
    result = allennlp(
        "compare", runs / "seed_1", "--decoder", "relative", "threshold", "--part", "test",
        "--metric", "example_f1", "--baseline", "margin [threshold]", "--resamples", 50,
        "--format", "csv", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    assert "expected the example_f1 of its files" not in result.stdout + result.stderr
    for arguments, message in (
        (["--decoder", '{"type"'], "a dictionary in JSON"),
        (["--decoder", "nonsense"], "nonsense"),
    ):
        result = allennlp("decode", runs / "seed_1", *arguments, cwd=tmp_path)
        assert result.returncode != 0 and message in result.stdout + result.stderr
        assert "Traceback" not in result.stderr
    result = allennlp("decode", runs, "--save", tmp_path / "x", cwd=tmp_path)
    assert "a single run with --save, got 2" in result.stdout + result.stderr
