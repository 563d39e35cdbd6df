"""The data of a newcomer: label columns among the features, files, parts to test, single values."""

import numpy as np
import pytest

import structured_energy as se

pandas = pytest.importorskip("pandas", reason="pandas is optional")

SMALL = {"hidden": [8], "dropout": 0.0, "lr": 0.01}
LABELS = ["churn", "spends"]


def customers(rows=60, seed=0):
    """Return a data frame of an id, features and two labels."""
    random = np.random.default_rng(seed)
    age, plan = random.integers(18, 80, rows), random.choice(["basic", "plus"], rows)
    frame = pandas.DataFrame({"id": np.arange(rows), "age": age, "plan": plan})
    return frame.assign(churn=(age > 50).astype(int), spends=(plan == "plus").astype(int))


def train(folder, X, Y=None, **settings):
    defaults = {"num_epochs": 1, "seed": 5, "settings": SMALL, "verbose": False}
    return se.train("cross_entropy", X, Y, out=folder, **{**defaults, **settings})


def test_labels_are_no_features(tmp_path):
    frame = customers()
    truth, run = frame[LABELS], tmp_path / "run"
    message = "without the labels, got the column 'churn' in X and Y; drop it from X"
    for X, Y, names in (
        (frame.drop(columns="spends"), truth, {}),
        (frame.drop(columns="spends"), truth.to_numpy(), {"label_names": LABELS}),
        (frame.drop(columns="spends").to_dict(orient="records"), truth, {}),
        (
            frame[["age", "churn"]].to_numpy(),
            truth.to_numpy(),
            {"feature_names": ["age", "churn"], "label_names": LABELS},
        ),
    ):
        with pytest.raises(ValueError, match=message):
            train(run, X, Y, **names)
    with pytest.raises(ValueError, match="the columns 'churn', 'spends' in X and Y; drop them"):
        train(run, frame, truth)
    assert not run.exists()


def test_a_file_with_columns_of_labels_is_evaluated(tmp_path):
    frame = customers()
    model = train(tmp_path / "memory", frame[["age", "plan"]], frame[LABELS])
    path = tmp_path / "mine.csv"
    frame[["plan", "spends", "id", "churn", "age"]].to_csv(path, index=False)
    expected = model.evaluate(frame[["age", "plan"]], frame[LABELS])
    assert model.evaluate(path) == pytest.approx(expected)
    assert np.array_equal(model.predict(path), model.predict(frame[["age", "plan"]]))
    frame.drop(columns="spends").to_csv(path, index=False)
    with pytest.raises(ValueError, match="each of the 2 labels of the model, got none for 'spend"):
        model.evaluate(path)
    frame.drop(columns=LABELS).to_csv(path, index=False)
    with pytest.raises(ValueError, match="expected a column of labels 'labels'"):
        model.evaluate(path)


def test_settings_of_the_reader_are_those_of_a_table(tmp_path):
    frame, path = customers(), tmp_path / "train.csv"
    frame.to_csv(path, index=False)
    reader = {"labels": LABELS, "ignore": ["id"]}
    model = train(tmp_path / "run", path, settings={**SMALL, "reader": reader})
    assert model.features == ["age", "plan=basic", "plan=plus"] and model.labels == LABELS
    assert model.config["dataset_reader"]["type"] == "table"


def test_data_to_test_on(tmp_path):
    frame, other = customers(), customers(40, seed=1)
    other.to_csv(tmp_path / "other.csv", index=False)
    features = ["age", "plan"]
    pair = (other[features], other[LABELS])
    model = train(tmp_path / "run", frame[features], frame[LABELS], test=pair)
    row = model.metrics().set_index("metric").loc["hamming_loss"]
    assert row["test"] == pytest.approx((model.predict(pair[0]) != pair[1].to_numpy()).mean())
    frame.to_csv(tmp_path / "train.csv", index=False)
    settings = {**SMALL, "reader": {"labels": LABELS, "ignore": ["id"]}}
    files = {"validation": tmp_path / "other.csv", "test": tmp_path / "other.csv"}
    model = train(tmp_path / "files", tmp_path / "train.csv", settings=settings, **files)
    row = model.metrics().set_index("metric").loc["hamming_loss"]
    assert row["test"] == pytest.approx(model.evaluate(tmp_path / "other.csv")["hamming_loss"])
    with pytest.raises(ValueError, match="each of the 2 labels .* no column 'spends'"):
        train(
            tmp_path / "no",
            frame[features],
            frame[LABELS],
            test=(other[features], other[["churn"]]),
        )


def test_one_column_of_labels_is_a_data_frame(tmp_path):
    frame = customers()
    for column in (frame["churn"], frame["churn"].map({0: "no", 1: "yes"})):
        with pytest.raises(ValueError, match=r"the Series 'churn'; .* such as df\[\['churn'\]\]"):
            train(tmp_path / "run", frame[["age"]], column)


def test_a_model_says_what_it_is(tmp_path):
    frame = customers()
    model = train(tmp_path / "run", frame[["age", "plan"]], frame[LABELS])
    where = f"folder='{(tmp_path / 'run').resolve()}'"
    sets = "sets of 2 labels (churn, spends)"
    pieces = "InferenceNetworkSampler, CrossEntropyLoss"
    assert repr(model) == f"TrainedModel({sets}, {pieces}, {where})"
    model.folder = None
    assert repr(model).endswith("no folder)")


def test_an_onnx_file_takes_missing_values_and_is_written_in_silence(tmp_path, caplog):
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package, reason="onnx is optional")
    runtime = pytest.importorskip("onnxruntime", reason="onnx is optional")
    frame = customers()
    model = train(tmp_path / "run", frame[["age", "plan"]], frame[LABELS])
    caplog.clear()
    path = model.export(tmp_path / "network.onnx")
    assert not [r for r in caplog.records if r.name.startswith("torch") and r.levelno >= 30]
    assert model.features == ["age", "plan=basic", "plan=plus"]
    rows = np.array([[40, 1, 0], [np.nan, 0, 1]], dtype=np.float32)
    (probabilities,) = runtime.InferenceSession(str(path)).run(None, {"x": rows})
    frame = pandas.DataFrame({"age": [40, None], "plan": ["basic", "plus"]})
    assert np.allclose(probabilities, model.predict_proba(frame), atol=1e-5)
