"""Loading and predicting from Python."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from PIL import Image
from scipy import sparse
from shipped import FOLDER, small_and_plain

from structured_energy import LoggedArray
from structured_energy.api import load
from structured_energy.models import StructuredEnergyModel

TASKS = {
    "sets": "multi_label/digits/inference_network",
    "tags": "tagging/twpos/inference_network",
    "masks": "segmentation/weizmann_horses/cross_entropy",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each task, with the path of its test data."""
    found = {}
    for task, name in TASKS.items():
        folder = tmp_path_factory.mktemp(task)
        config = small_and_plain(FOLDER / f"{name}.jsonnet", folder)
        config["trainer"]["num_epochs"] = 1
        path = config["test_data_path"]
        train_model(Params(config), str(folder / "run"))
        found[task] = (folder / "run", path)
    return found


@pytest.fixture(params=TASKS)
def task(request):
    return request.param


@pytest.fixture
def run(runs, task):
    return runs[task]


def equal(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) for a, b in zip(first, second, strict=True)
    )


def close(first, second):
    return len(first) == len(second) and all(
        np.allclose(a, b, atol=1e-6) for a, b in zip(first, second, strict=True)
    )


def test_predictions_are_those_of_the_predictor(run, task):
    folder, path = run
    archive = load_archive(folder / "model.tar.gz")
    predictor = Predictor.from_archive(archive)
    lines = [predictor.predict_instance(i) for i in archive.dataset_reader.read(path)]
    model = load(folder)
    assert close(model.predict_proba(path), [line["probabilities"] for line in lines])
    assert equal(model.predict_labels(path), [list(line["labels"]) for line in lines])
    predicted = model.predict(path)
    if task == "sets":
        assert predicted.dtype == np.int64 and predicted.shape == (len(lines), 4)
        names = np.array(model.labels)
        assert [list(names[row == 1]) for row in predicted] == [
            list(line["labels"]) for line in lines
        ]
    else:
        assert equal(predicted, [line["labels"] for line in lines])


def test_metrics_are_those_of_the_run(run):
    folder, path = run
    recorded = json.loads((folder / "metrics.json").read_text())
    metrics = load(folder).evaluate(path)
    assert metrics
    for name, value in metrics.items():
        if f"test_{name}" in recorded:
            assert value == pytest.approx(recorded[f"test_{name}"], rel=1e-5), name
    assert "test_loss" in recorded and "loss" in metrics


def test_values_in_memory_are_those_of_the_file(run, task, tmp_path):
    folder, path = run
    model = load(folder)
    instances = list(model.reader.read(path))
    if task == "sets":
        X = np.zeros((len(instances), 5), dtype=np.float32)
        Y = np.zeros((len(instances), 4), dtype=np.int64)
        for row, instance in enumerate(instances):
            for name, value in instance.fields["x"].human_readable_repr().items():
                X[row, model.features.index(name)] = value
            for name in instance.fields["labels"].human_readable_repr():
                Y[row, model.labels.index(name)] = 1
        by_name = [dict(zip(model.features, row.tolist(), strict=True)) for row in X]
        forms = [X, X.tolist(), sparse.csr_matrix(X), by_name, [{"features": r} for r in by_name]]
        truths = [Y, Y.tolist(), sparse.csr_matrix(Y)]
    elif task == "tags":
        tokens = [[token.text for token in i.fields["x"].tokens] for i in instances]
        forms = [tokens, [" ".join(t) for t in tokens], [{"tokens": t} for t in tokens]]
        truths = [[i.fields["labels"].labels for i in instances]]
    else:
        with np.load(path) as arrays:
            images, masks = arrays["images"], arrays["masks"]
        files = [tmp_path / f"{number}.png" for number in range(len(images))]
        for image, file in zip(images, files, strict=True):
            Image.fromarray(image).save(file)
        forms = [images, list(images), files, [{"image": str(file)} for file in files]]
        truths = [masks]
    for X in forms:
        assert close(model.predict_proba(X), model.predict_proba(path))
    expected = model.evaluate(path)
    for Y in truths:
        assert model.evaluate(forms[0], Y) == pytest.approx(expected)


def test_images_of_several_sizes(runs):
    folder, _ = runs["masks"]
    model = load(folder)
    images = [np.full((h, w, 3), 90, np.uint8) for h, w in ((9, 9), (12, 8), (9, 9), (9, 9))]
    assert [mask.shape for mask in model.predict(images)] == [image.shape[:2] for image in images]


def test_a_pickled_model_predicts_the_same(run):
    folder, path = run
    model = load(folder)
    assert equal(pickle.loads(pickle.dumps(model)).predict_proba(path), model.predict_proba(path))


def test_an_archive_is_the_folder_without_its_run(run):
    folder, path = run
    model = load(folder / "model.tar.gz")
    assert equal(model.predict_proba(path), load(folder).predict_proba(path))
    assert load(folder).run.best_epoch == 0
    with pytest.raises(ValueError, match="loaded from the folder of its run"):
        _ = model.run


def test_a_folder_with_only_its_archive_is_loaded(run, tmp_path):
    folder, path = run
    shutil.copy(folder / "model.tar.gz", tmp_path)
    assert equal(load(tmp_path).predict_proba(path), load(folder).predict_proba(path))


def test_prediction_and_evaluation_leave_no_trace(run):
    folder, path = run
    model = load(folder)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model.predict(path)
    model.evaluate(path)
    assert torch.equal(torch.rand(2), expected)
    assert not model.model.training
    first = model.evaluate(path)
    assert model.evaluate(path) == pytest.approx(first)


def rows_of(table):
    return table if isinstance(table, list) else table.to_dict(orient="records")


def test_the_run_as_objects(run):
    folder, _ = run
    model = load(folder)
    recorded = json.loads((folder / "metrics.json").read_text())
    metrics = {row["metric"]: row for row in rows_of(model.metrics())}
    for name, row in metrics.items():
        assert row["test"] == recorded[f"test_{name}"], name
        assert row["validation"] == recorded[f"best_validation_{name}"]
    tree = {row["name"]: row for row in rows_of(model.tree())}
    values = model.model.logged_values()
    logged = {name for name, value in values.items() if not isinstance(value, LoggedArray)}
    assert logged <= set(tree)
    last = [row for row in rows_of(model.history()) if row["part"] == "validation"][-1]
    assert last["value"] == tree[last["name"]]["last_validation"]
    assert model.describe().startswith("model (StructuredEnergyModel)")


def test_plots_and_report(runs, tmp_path):
    folder, _ = runs["sets"]
    model = load(folder)
    figures = model.plots()
    assert {"curves", "decoder"} <= set(figures)
    figures["curves"].savefig(tmp_path / "curves.png")
    assert not (folder / "plots").exists()
    assert "example_f1" in model.report(tmp_path / "report.html").read_text()


@pytest.mark.parametrize("name", ["nothing", "empty", "missing.tar.gz"])
def test_where_there_is_no_model(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="Expected the folder of a run"):
        load(tmp_path / name)


def test_values_that_the_reader_does_not_read(runs):
    sets, tags = load(runs["sets"][0]), load(runs["tags"][0])
    with pytest.raises(ValueError, match="one dictionary; put it into a list"):
        tags.predict({"tokens": ["a"]})
    with pytest.raises(ValueError, match="Expected the labels Y"):
        sets.evaluate(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="no Y beside the file"):
        sets.evaluate(runs["sets"][1], np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"Y as an array \(num_instances, 4\)"):
        sets.evaluate(np.zeros((2, 5)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="as many outputs Y as inputs"):
        sets.evaluate(np.zeros((2, 5)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="5 features"):
        sets.predict(np.zeros((2, 4)))
    assert sets.predict(np.zeros((0, 5))).shape == (0, 4)
    assert sets.predict_proba(np.zeros((0, 5))).shape == (0, 4)


def test_one_value_in_place_of_several(runs, tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    sets, tags, masks = (load(runs[task][0]) for task in TASKS)
    image = Image.fromarray(np.full((24, 24, 3), 90, dtype=np.uint8))
    image.save(tmp_path / "a.png")
    file = str(tmp_path / "a.png")
    row = pandas.Series(np.zeros(5))
    for model, value, message in (
        (tags, "Ada Turing works.", "^Expected a file at 'Ada .*', got none; give a list of sent"),
        (sets, "no.csv", "^Expected a file at 'no.csv', got none.$"),
        (masks, "no.png", "^Expected a file at 'no.png', got none.$"),
        (masks, file, "a list of image files, a folder or .*a.png'; put it into a list"),
        (masks, image, "a list of images, got one; put it into a list"),
        (sets, {"x0": 1.0}, "got one dictionary; put it into a list"),
        (sets, row, r"got a Series; give a data frame, such as df.iloc\[\[0\]\]"),
    ):
        with pytest.raises(ValueError, match=message):
            model.predict(value)
    assert equal(masks.predict_proba([image]), masks.predict_proba([file]))
    assert len(tags.predict(pandas.Series(["Ada works.", "He sleeps"]))) == 2


def test_only_structured_energy_models_are_loaded(tmp_path, monkeypatch, runs):
    monkeypatch.setattr("structured_energy.api.trained_model.StructuredEnergyModel", int)
    assert StructuredEnergyModel is not int
    with pytest.raises(ValueError, match="expected a model 'structured-energy'"):
        load(runs["sets"][0])
