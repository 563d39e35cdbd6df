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
    assert not run.exists()
