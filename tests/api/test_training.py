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
from structured_energy.api.run_data import StagedData
from structured_energy.data import write_table
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


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([f"c{i}" for i in range(40)], "40 different texts .*; drop the column from X, or"),
        (["0,25", "1,5"] * 20, "decimal comma, such as '0,25'; convert the column to numbers."),
        ([np.datetime64("2024-01-01", "ns") + i for i in range(40)], "'2024-01-01T00.*; drop the"),
    ],
    ids=["ids", "commas", "times"],
)
def test_a_column_of_a_table_in_memory_is_named(tmp_path, cells, message):
    X = [{"a": i % 7, "b": cell} for i, cell in enumerate(cells)]
    with pytest.raises(ValueError, match=f"^Column 'b' of X: expected numbers .*{message}"):
        train(tmp_path / "run", X, problem()[1])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("verbose", [True, False])
def test_columns_that_look_wrong_are_named_once(tmp_path, capfd, verbose):
    X, Y = problem()
    X[:, 3] *= 1e8
    train(tmp_path, X, Y, verbose=verbose)
    out, err = capfd.readouterr()
    assert (out + err).count("1,000,000 and more in 'x3'") == verbose
    assert (tmp_path / "out.log").read_text().count("1,000,000 and more in 'x3'") == 1


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
        ({"num_epochs": 0}, "num_epochs of at least 1, got 0"),
        ({"seed": -1}, "seed from 0 to .*, got -1"),
        ({"X": "nowhere.csv", "Y": None}, "Expected files at 'nowhere.csv', got none"),
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


def test_a_run_is_only_overwritten_by_what_can_be_trained(tmp_path):
    X, Y = problem()
    run = tmp_path / "run"
    train(run, X, Y)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    own = str(run / "data" / "train.npz")
    for changes in (
        {"settings": {"hiden": [8]}},
        {"overrides": {"trainer.num_epoch": 1}},
        {"Y": 2 * Y},
        {"Y": Y[:3]},
        {"X": own, "Y": None},
        {"validation": own},
        {"validation": "nowhere.npz"},
        {"seed": 2**32},
    ):
        arguments = {"X": X, "Y": Y, "overwrite": True, **changes}
        with pytest.raises((ConfigurationError, ValueError), match="xpected"):
            train(run, **arguments)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    with pytest.raises(ConfigurationError, match="data outside of the folder"):
        se.train(run / "config.json", out=run, overwrite=True, verbose=False)


def test_a_mistake_leaves_no_folder_in_the_way(tmp_path):
    X, Y = problem()
    with pytest.raises(ConfigurationError, match="hiden"):
        train(tmp_path / "run", X, Y, settings={"hiden": [8]})
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_recovered_with_its_own_data(tmp_path):
    X, Y = problem()
    train(tmp_path, X, Y, num_epochs=1)
    with pytest.raises(ConfigurationError, match="data of the run to recover"):
        train(tmp_path, X, Y[::-1], num_epochs=2, recover=True)
    with np.load(tmp_path / "data" / "train.npz") as file:
        assert np.array_equal(file["Y"], Y)


@pytest.mark.parametrize(
    ("part", "rows"), [(0.29, 29), (0.57, 57), (np.float32(0.25), 25), (0.001, 1), (0.999, 99)]
)
def test_the_part_that_validates(tmp_path, part, rows):
    staged = StagedData(tmp_path / "run" / "data")
    path = tmp_path / "x.csv"
    path.touch()
    with staged:
        table = staged.table(path, None, part, {})
    percents = [table[key].partition("x.csv[")[2] for key in ("train", "validation")]
    assert percents == [f":{100 - rows}%]?seed=0", f"{100 - rows}%:]?seed=0"]


def test_names_and_data_are_not_ignored(tmp_path):
    X, Y = problem()
    path = write_table(tmp_path / "x.npz", X, Y)
    for names in ({"feature_names": list("vwxyz")}, {"label_names": list("abc")}):
        with pytest.raises(ConfigurationError, match="beside the file .* names of its own"):
            train(tmp_path / "run", path, None, **names)
    for key in ("train", "validation"):
        with pytest.raises(ConfigurationError, match=f"got '{key}' in the settings"):
            train(tmp_path / "run", X, Y, settings={**SMALL, key: path})


def test_frames_have_the_labels_of_the_training_data(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    X, Y = problem()
    frame, truth = (
        pandas.DataFrame(X, columns=list("vwxyz")),
        pandas.DataFrame(Y, columns=list("cba")),
    )
    with pytest.raises(ValueError, match="each of the 3 labels .* no column 'b'"):
        train(tmp_path / "run", frame, truth, validation=(frame, truth[["a", "c"]]))
    model = train(tmp_path / "run", frame, truth, validation=(frame, truth[["a", "b", "c"]]))
    expected = model.evaluate(frame, truth)
    assert model.evaluate(frame, truth[["a", "b", "c"]]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="no column 'b'"):
        model.evaluate(frame, truth[["a", "c"]])
    with pytest.raises(ValueError, match="the column 'd' as well"):
        model.evaluate(frame, truth.assign(d=0))


def test_arrays_for_a_model_with_indicators(tmp_path):
    X, Y = problem()
    X[3, 1] = np.nan
    settings = {**SMALL, "reader": {"type": "table", "missing": "indicator"}}
    model = train(tmp_path, X, Y, settings=settings, feature_names=list("vwxyz"))
    assert model.features == [*"vwxyz", "w=?"]
    rows = [dict(zip("vwxyz", row.tolist(), strict=True)) for row in X]
    for row in rows:
        row.update({name: None for name, value in row.items() if value != value})
    assert np.allclose(model.predict_proba(X), model.predict_proba(rows), atol=1e-6)
    with pytest.raises(ValueError, match="an array with 6 columns, .* got 4"):
        model.predict(X[:, :4])


def test_the_loggers_keep_no_handler_of_the_run(tmp_path):
    X, Y = problem()
    train(tmp_path, X, Y)
    open_files = [
        handler.baseFilename
        for logger in [logging.getLogger(), *logging.root.manager.loggerDict.values()]
        for handler in getattr(logger, "handlers", [])
        if isinstance(handler, logging.FileHandler)
    ]
    assert not [file for file in open_files if file.startswith(str(tmp_path))]
