"""Precision, recall and F1 by label, against scikit-learn."""

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from sklearn.metrics import precision_recall_fscore_support

from structured_energy.metrics import as_structured

LABELS = ["beach", "St. Ives", "sun set", "fog", "never", "unknown"]
NAMES = ["label-precision", "label-recall", "label-f1"]


def build(name, **settings):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for label in LABELS:
        vocab.add_token_to_namespace(label, "labels")
    return as_structured(Metric.from_params(Params({"type": name, **settings}), vocab=vocab))


def batch(seed=0):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 8, size=(40, 6)) / 8
    labels = generator.random((40, 6)) < 0.4
    mask = generator.random((40, 6)) < 0.7
    labels[:, 4], scores[:, 4] = False, 0.0
    mask[:, 5] = False
    return scores, labels, mask


def added(metric, scores, labels, mask, threshold=0.5, size=7):
    tensors = (torch.from_numpy(each).split(size) for each in (scores, labels, mask))
    for probabilities, truth, known in zip(*tensors, strict=True):
        metric(probabilities, probabilities > threshold, truth, known)
    return metric


@pytest.mark.parametrize("threshold", [0.25, 0.5])
@pytest.mark.parametrize(("place", "name"), list(enumerate(NAMES)))
def test_is_scikit_learn_s_for_each_label(place, name, threshold):
    scores, labels, mask = batch()
    values = added(build(name), scores, labels, mask, threshold).get_metric(reset=True)
    expected = {}
    for column, label in enumerate(LABELS[:5]):
        known = mask[:, column]
        predicted = scores[known, column] > threshold
        result = precision_recall_fscore_support(
            labels[known, column], predicted, average="binary", zero_division=0.0
        )
        expected[f".{label}"] = result[place]
    expected[""] = np.mean(list(expected.values()))
    assert values == pytest.approx(expected, abs=1e-12)
    assert ".unknown" not in values and values[".never"] == 0.0


@pytest.mark.parametrize("name", NAMES)
def test_batches_masks_and_integers(name):
    scores, labels, mask = batch()
    values = [added(build(name), scores, labels, mask, size=size).get_metric() for size in (1, 40)]
    assert values[0] == values[1]
    changed = np.where(mask, scores, np.nan), np.where(mask, labels, ~labels), mask
    assert added(build(name), *changed).get_metric() == values[0]
    p, y = map(torch.from_numpy, (scores, labels))
    sums = build(name).batch_sums(p, p > 0.5, y, None)
    assert {value.dtype for value in sums.values()} == {torch.int64}


def test_the_mean_of_f1_is_macro_f1():
    scores, labels, mask = batch()
    macro = added(Metric.by_name("macro-f1")(), scores, labels, mask).get_metric()
    assert added(build("label-f1"), scores, labels, mask).get_metric()[""] == macro


def test_some_labels_are_reported_and_the_mean_is_of_all():
    scores, labels, mask = batch()
    every = added(build("label-f1"), scores, labels, mask).get_metric()
    some = added(build("label-f1", labels=["fog", "St. Ives"]), scores, labels, mask).get_metric()
    assert some == {name: every[name] for name in ("", ".fog", ".St. Ives")}
    with pytest.raises(ConfigurationError, match="'label_f1' among .*'beach'.*, got 'fgo'"):
        build("label-f1", labels=["fgo"])


def test_another_number_of_labels_is_refused():
    with pytest.raises(ValueError, match="Expected 6 labels .* 'label_f1', .* got 4"):
        labels = torch.rand(2, 4) < 0.5
        build("label-f1")(torch.rand(2, 4), labels, labels)
