"""Training from Python: the folder, the data, the messages."""

import json
import logging
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from scipy import sparse
from sklearn.preprocessing import MultiLabelBinarizer

import structured_energy as se
from structured_energy.testing import train_snippet, write_arff

SMALL = {"hidden": [8], "dropout": 0.0, "lr": 0.01}


def problem(rows=40, seed=0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, 5)).astype(np.float32)
    Y = (X @ np.random.default_rng(1).normal(size=(5, 3)) > 0).astype(int)
    return X, Y


def train(folder, X, Y, **settings):
    defaults = {"num_epochs": 2, "seed": 5, "settings": SMALL, "verbose": False}
    return se.train("cross_entropy", X, Y, out=folder, **{**defaults, **settings})


def test_it_learns(tmp_path):
    X, Y = problem(200)
    model = train(tmp_path, X[:150], Y[:150], num_epochs=20)
    assert (model.predict(X[150:]) == Y[150:]).mean() > 0.85
    assert model.evaluate(X[150:], Y[150:])["hamming_loss"] == pytest.approx(
        (model.predict(X[150:]) != Y[150:]).mean()
    )


def test_every_form_of_the_data_gives_the_same_model(tmp_path):
    X, Y = problem()
    names = ["a", "b", "c"]
    sets = [{names[label] for label in np.flatnonzero(row)} for row in Y]
    binarizer = MultiLabelBinarizer(classes=names)
    forms = [
        (X, Y, {}),
        (X.tolist(), Y.tolist(), {}),
        (X, Y.astype(bool), {"label_names": names}),
        (X, sets, {"label_names": names}),
        (X, binarizer.fit_transform(sets), {"label_names": binarizer.classes_}),
    ]
    found = [
        train(tmp_path / str(number), X_, Y_, **more).predict_proba(X)
        for number, (X_, Y_, more) in enumerate(forms)
    ]
    for other in found[1:]:
        assert np.array_equal(other, found[0])


def test_sparse_features(tmp_path):
    X, Y = problem()
    X = sparse.random(40, 30, 0.2, format="csr", random_state=0)
    model = train(tmp_path, X, Y)
    assert np.allclose(model.predict_proba(X), model.predict_proba(X.toarray()), atol=1e-6)


def test_data_frames(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    X, Y = problem()
    frame = pandas.DataFrame(X.astype(float), columns=list("vwxyz"))
    frame["colour"] = ["red", "blue"] * 20
    truth = pandas.DataFrame(Y, columns=["rock", "jazz", "folk"])
    model = train(tmp_path, frame, truth)
    assert model.labels == ["rock", "jazz", "folk"]
    assert {"v", "colour=red", "colour=blue"} <= set(model.features)
    assert model.predict_proba(frame).shape == (40, 3)
    changed = frame.assign(colour="red")
    assert not np.array_equal(model.predict_proba(changed), model.predict_proba(frame))
    rows = frame.to_dict(orient="records")
    assert np.allclose(model.predict_proba(rows), model.predict_proba(frame), atol=1e-6)


def test_the_labels_keep_their_order_and_the_rare_ones_stay(tmp_path):
    X, Y = problem()
    Y[:, 0] = 0
    model = train(tmp_path, X, Y, label_names=["z", "y", "x"])
    assert model.labels == ["z", "y", "x"]


def test_the_commands_read_the_folder(tmp_path):
    X, Y = problem()
    model = train(tmp_path / "run", X, Y)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["random_seed"] == config["numpy_seed"] == config["pytorch_seed"] == 5
    command = [sys.executable, "-m", "allennlp", "evaluate", str(tmp_path / "run" / "model.tar.gz")]
    command += [config["validation_data_path"], "--output-file", str(tmp_path / "metrics.json")]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    expected = json.loads((tmp_path / "metrics.json").read_text())
    assert model.evaluate(config["validation_data_path"]) == pytest.approx(expected)


def test_a_part_or_data_of_ones_own_validate(tmp_path):
    X, Y = problem()
    third = train(tmp_path / "third", X, Y, validation=0.33)
    reader = third.reader
    assert len(list(reader.read(third.config["validation_data_path"]))) == 14
    assert len(list(reader.read(third.config["train_data_path"]))) == 26
    own = train(tmp_path / "own", X[:30], Y[:30], validation=(X[30:], Y[30:]))
    metrics = json.loads((tmp_path / "own" / "metrics.json").read_text())
    own_metrics = own.evaluate(X[30:], Y[30:])
    assert metrics["best_validation_micro_f1"] == pytest.approx(own_metrics["micro_f1"])


def test_files_of_features_and_labels(tmp_path):
    path = write_arff(tmp_path, "train", 30)
    settings = {**SMALL, "reader": "arff"}
    model = train(tmp_path / "run", path, None, settings=settings)
    assert model.labels == [f"label_{number}" for number in range(4)]
    with pytest.raises(ConfigurationError, match="no Y beside the file"):
        train(tmp_path / "other", path, np.ones((30, 4)), settings=settings)


def test_a_config_is_trained_as_the_command_trains_it(tmp_path):
    snippet = """{
      model: {
        type: 'structured-energy', output_space: 'binary',
        task_network: { encoder: { type: 'feedforward', feedforward: {
          num_layers: 1, hidden_dims: 6, activations: 'relu' } } },
        sampler: { type: 'inference-network', loss: 'cross-entropy' } },
      trainer: { type: 'minimax', optimizer: 'adam', num_epochs: 1 } }"""
    train_snippet(snippet, tmp_path)
    config = Params.from_file(str(tmp_path / "run" / "config.json")).as_dict(quiet=True)
    model = se.train(config, out=tmp_path / "again", num_epochs=2, verbose=False)
    assert len(model.run.curves["loss"]["validation"].epochs) == 2
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    same = se.train(path, out=tmp_path / "same", verbose=False)
    expected = se.load(tmp_path / "run").evaluate(config["validation_data_path"])
    assert same.evaluate(config["validation_data_path"]) == expected


def test_a_run_is_recovered_and_overwritten(tmp_path):
    X, Y = problem()
    train(tmp_path, X, Y, num_epochs=1)
    with pytest.raises(ConfigurationError, match="not empty; choose another one"):
        train(tmp_path, X, Y)
    longer = train(tmp_path, X, Y, num_epochs=3, recover=True)
    whole = train(tmp_path / "whole", X, Y, num_epochs=3)
    assert np.array_equal(longer.predict_proba(X), whole.predict_proba(X))
    fresh = train(tmp_path, X, Y, num_epochs=2, overwrite=True)
    assert len(fresh.run.curves["loss"]["validation"].epochs) == 2


def test_the_process_is_as_it_was(tmp_path, capsys):
    X, Y = problem()
    root = logging.getLogger()
    for generator in (random.seed, np.random.seed, torch.manual_seed):
        generator(7)
    expected = random.random(), np.random.rand(), torch.rand(()).item()
    for generator in (random.seed, np.random.seed, torch.manual_seed):
        generator(7)
    before = list(root.handlers), root.level, sys.excepthook
    train(tmp_path, X, Y)
    assert (list(root.handlers), root.level, sys.excepthook) == before
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected
    assert capsys.readouterr().out == ""


def test_it_prints_its_progress(tmp_path, capsys):
    X, Y = problem()
    train(tmp_path, X, Y, verbose=True)
    printed = capsys.readouterr().out
    assert "example_f1" in printed and "0/1" in printed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "seal_dynamic_nc"}, "got 'seal_dynamic_nc'; did you mean 'seal_dynamic_nce'"),
        ({"Y": None}, "Expected the labels Y of the train data"),
        ({"validation": 1.5}, "between 0 and 1 as validation, got 1.5"),
        ({"settings": {"hiden": [3]}}, "hidden"),
        ({"X": None}, "Expected Y only with X"),
        ({"X": None, "Y": None}, "Expected X and Y with the method 'cross_entropy'"),
        ({"recover": True, "overwrite": True}, "recover or overwrite"),
        ({"method": {"model": {}}}, "Expected the name of a method for X and Y"),
        ({"overrides": {"trainer.num_epoch": 2}}, "num_epoch"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, changes, message):
    X, Y = problem()
    arguments = {"method": "cross_entropy", "X": X, "Y": Y, "verbose": False, **changes}
    method, X, Y = (arguments.pop(name) for name in ("method", "X", "Y"))
    with pytest.raises((ConfigurationError, ValueError), match=message):
        se.train(method, X, Y, out=tmp_path / "run", **arguments)


@pytest.mark.parametrize(("X", "Y"), [((3, 5), (4, 3)), ((0, 5), (0, 3)), ((3,), (3, 1))])
def test_arrays_that_do_not_fit(tmp_path, X, Y):
    with pytest.raises(ValueError, match="xpected"):
        train(tmp_path / "run", np.ones(X), np.ones(Y))


def test_an_array_has_the_columns_of_the_model_in_their_order(tmp_path):
    X, Y = problem()
    names = {"feature_names": list("vwxyz"), "label_names": ["c", "b", "a"]}
    model = train(tmp_path, X, Y, **names)
    assert model.features == list("vwxyz") and model.labels == ["c", "b", "a"]
    rows = [dict(zip("zyxwv", row[::-1].tolist(), strict=True)) for row in X]
    assert np.allclose(model.predict_proba(X), model.predict_proba(rows), atol=1e-6)
    metrics = model.evaluate(X, Y)
    assert metrics["hamming_loss"] == pytest.approx((model.predict(X) != Y).mean())
    sets = [[names["label_names"][label] for label in np.flatnonzero(row)] for row in Y]
    assert model.evaluate(rows, sets) == pytest.approx(metrics)
