"""Metrics of masks against scikit-learn, in batches of unequal size."""

import numpy as np
import pytest
import torch
from allennlp.training.metrics import Metric
from sklearn.metrics import accuracy_score, jaccard_score


@pytest.fixture()
def data():
    """Masks of 5x4 pixels; the first is empty in both, the second only in the truth."""
    generator = np.random.default_rng(3)
    probabilities = generator.random((9, 5, 4)).round(1)
    labels = generator.random((9, 5, 4)) < 0.3
    probabilities[0], labels[:2] = 0.0, False
    return probabilities, labels


def computed(name, data, threshold):
    metric = Metric.by_name(name)()
    for rows in (slice(0, 2), slice(2, 3), slice(3, 9)):
        probabilities, labels = (torch.from_numpy(array[rows]) for array in data)
        metric(probabilities, probabilities > threshold, labels)
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
    values = computed("iou", data, threshold)
    assert values == pytest.approx({"": expected, "_global": overall})


def test_nothing_anywhere_is_right():
    nothing = np.zeros((2, 3, 3)), np.zeros((2, 3, 3), dtype=bool)
    assert computed("iou", nothing, 0.5) == {"": 1.0, "_global": 1.0}


def test_pixel_accuracy(data):
    expected = accuracy_score(data[1].ravel(), data[0].ravel() > 0.35)
    assert computed("pixel-accuracy", data, 0.35) == pytest.approx(expected)


NAMES = ["iou", "pixel-accuracy", "example-f1", "micro-f1", "hamming-loss", "subset-accuracy"]
NAMES += ["macro-f1", "map-example", "map-label"]


@pytest.mark.parametrize("name", NAMES)
def test_void_positions_change_nothing(data, name):
    probabilities, labels = map(torch.from_numpy, data)
    mask = torch.rand(labels.shape, generator=torch.Generator().manual_seed(0)) < 0.7
    values = []
    for turned in (False, True):
        metric = Metric.by_name(name)()
        changed = labels ^ (~mask & turned)
        metric(probabilities, probabilities > 0.35, changed, mask)
        values.append(metric.get_metric())
        thresholds = [0.25, 0.55]
        at = metric.sums_at(probabilities, probabilities, changed, thresholds, mask)
        for i, threshold in enumerate(thresholds):
            sums = metric.batch_sums(probabilities, probabilities > threshold, labels, mask)
            assert float(metric.value({key: value[i] for key, value in at.items()})) == (
                pytest.approx(float(metric.value(sums)))
            )
    assert values[0] == values[1]
    if name == "macro-f1" or name.startswith("map"):
        return
    # Images of the known pixels only, one at a time, add up to the same.
    metric = Metric.by_name(name)()
    for scores, truth, known in zip(probabilities, labels, mask, strict=True):
        metric(scores[known][None], scores[known][None] > 0.35, truth[known][None])
    assert metric.get_metric() == pytest.approx(values[0])


def test_an_image_of_void_pixels_only_has_no_part(data):
    probabilities, labels = map(torch.from_numpy, data)
    mask = torch.ones_like(labels)
    mask[4] = False
    for name in ("iou", "pixel-accuracy"):
        metric, rest = Metric.by_name(name)(), Metric.by_name(name)()
        metric(probabilities, probabilities > 0.35, labels, mask)
        others = [i for i in range(9) if i != 4]
        rest(probabilities[others], probabilities[others] > 0.35, labels[others])
        assert metric.get_metric() == pytest.approx(rest.get_metric())
        metric.reset()
        metric(probabilities, probabilities > 0.35, labels, torch.zeros_like(mask))
        value = metric.get_metric()
        assert (value[""] if isinstance(value, dict) else value) == 1.0


def test_a_mask_of_another_shape_is_named(data):
    probabilities, labels = map(torch.from_numpy, data)
    with pytest.raises(ValueError, match=r"the metric 'iou', got .* with a mask \(9, 5\)"):
        Metric.by_name("iou")()(probabilities, labels, labels, torch.ones(9, 5).bool())
