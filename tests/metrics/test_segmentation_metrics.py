"""Metrics of masks against scikit-learn, in batches of unequal size."""

import numpy as np
import pytest
import torch
from allennlp.training.metrics import Metric
from sklearn.metrics import accuracy_score, jaccard_score

from structured_energy.metrics import TunedThreshold


@pytest.fixture()
def data():
    """Masks of 5x4 pixels; the first is empty in both, the second empty in the truth alone."""
    generator = np.random.default_rng(3)
    probabilities = generator.random((9, 5, 4)).round(1)
    labels = generator.random((9, 5, 4)) < 0.3
    probabilities[0], labels[:2] = 0.0, False
    return probabilities, labels


def computed(name, data, threshold):
    metric = Metric.by_name(name)()
    for rows in (slice(0, 2), slice(2, 3), slice(3, 9)):
        metric(*(torch.from_numpy(array[rows]) for array in data), threshold)
    return metric.get_metric(reset=True)


@pytest.mark.parametrize("threshold", [0.25, 0.55, 1.0])
def test_intersection_over_union(data, threshold):
    predictions, labels = (data[0] > threshold).reshape(9, -1), data[1].reshape(9, -1)
    expected = np.mean(
        [
            jaccard_score(truth, prediction, zero_division=1.0)
            for truth, prediction in zip(labels, predictions, strict=True)
        ]
    )
    overall = jaccard_score(labels.ravel(), predictions.ravel())
    found = computed("iou", data, threshold)
    assert found == pytest.approx({"": expected, "_global": overall})


def test_nothing_anywhere_is_right():
    nothing = np.zeros((2, 3, 3)), np.zeros((2, 3, 3), dtype=bool)
    assert computed("iou", nothing, 0.5) == {"": 1.0, "_global": 1.0}


def test_pixel_accuracy(data):
    expected = accuracy_score(data[1].ravel(), data[0].ravel() > 0.35)
    assert computed("pixel-accuracy", data, 0.35) == pytest.approx(expected)


def test_a_threshold_is_tuned_for_it(data):
    probabilities, labels = (torch.from_numpy(array) for array in data)
    threshold = TunedThreshold(metric=Metric.by_name("iou")(), candidates=9)
    with threshold.tuning():
        threshold.observe(probabilities, labels)
    grid = [i / 10 for i in range(1, 10)]
    best = max(computed("iou", data, candidate)[""] for candidate in grid)
    assert computed("iou", data, float(threshold.value))[""] == pytest.approx(best)
