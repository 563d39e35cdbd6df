"""The estimator, by scikit-learn's own checks and in its tools."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from structured_energy import EnergyClassifier

SMALL = {"hidden": [16], "dropout": 0.0, "lr": 0.02, "batch_size": 16}


def small(**settings):
    defaults = {"method": "cross_entropy", "num_epochs": 5, "settings": SMALL}
    return EnergyClassifier(**{**defaults, **settings})


def checks():
    for _, check in estimator_checks_generator(small()):
        yield pytest.param(check, id=getattr(check, "func", check).__name__)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", checks())
def test_scikit_learns_checks(check):
    check(small(num_epochs=20 if "train" in str(check) else 2))


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 5))
    return X, (X @ generator.normal(size=(5, 3)) > 0).astype(int)


def test_it_learns_sets_of_labels(data):
    X, Y = data
    classifier = small(num_epochs=20).fit(X[:80], Y[:80])
    assert (classifier.predict(X[80:]) == Y[80:]).mean() > 0.85
    probabilities = classifier.predict_proba(X[80:])
    assert probabilities.shape == (40, 3)
    fitted = classifier.model_.model.decoder.values()
    share = probabilities / probabilities.max(1, keepdims=True)
    expected = (probabilities > fitted["threshold"]) & (share > fitted["proportion"])
    assert np.array_equal(classifier.predict(X[80:]), expected)


def test_pipelines_searches_clones_and_pickles(data):
    X, Y = data
    pipeline = make_pipeline(PCA(4), small())
    assert len(cross_val_score(pipeline, X, Y, cv=2)) == 2
    search = GridSearchCV(small(), {"settings": [SMALL, {**SMALL, "hidden": [4]}]}, cv=2)
    best = search.fit(X, Y).best_estimator_
    assert np.array_equal(pickle.loads(pickle.dumps(best)).predict_proba(X), best.predict_proba(X))
    again = clone(best).fit(X, Y)
    assert np.array_equal(again.predict_proba(X), best.predict_proba(X))


def test_the_folder_of_the_run_stays_where_it_is_named(data, tmp_path):
    X, Y = data
    classifier = small(out=str(tmp_path / "run")).fit(X, Y)
    assert (tmp_path / "run" / "model.tar.gz").exists()
    assert classifier.model_.run.best_epoch is not None
    assert "out" in classifier.get_params()


def test_a_run_in_a_temporary_folder_cannot_be_shown(data):
    X, Y = data
    with pytest.raises(ValueError, match="temporary folder; load the folder, or fit with 'out'"):
        small().fit(X, Y).model_.tree()


def test_several_classes_for_each_instance_are_refused(data):
    X, Y = data
    with pytest.raises(ValueError, match="Unknown label type"):
        small().fit(X, Y + np.arange(3))


def test_the_order_of_more_than_ten_labels(data):
    X, _ = data
    Y = (X[:, [0]] > np.linspace(-1, 1, 12)).astype(int)
    classifier = small(num_epochs=15).fit(X, Y)
    probabilities = classifier.predict_proba(X)
    assert (np.diff(probabilities.mean(axis=0)) < 0.05).all()
