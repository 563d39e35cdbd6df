"""Metrics of binary outputs of which some positions are unknown, by plain loops over the others."""

import itertools

import numpy as np
import pytest
import torch
from allennlp.training.metrics import Metric
from component_names import names_of, needs_vocabulary
from sklearn.metrics import average_precision_score, f1_score, ndcg_score

from structured_energy.metrics.set_metric import SetMetric

NAMES = sorted(
    name
    for name in names_of(Metric)
    if issubclass(Metric.by_name(name), SetMetric)
    # test_label_metrics.py, test_hierarchy_metrics.py
    and not needs_vocabulary(Metric.by_name(name))
)


def batch(seed=0):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 8, size=(40, 6)) / 8
    labels = generator.random((40, 6)) < 0.3
    mask = generator.random((40, 6)) < 0.6
    mask[3] = mask[:, 4] = False  # an instance and a label of which nothing is known
    return scores, labels, mask


def known_rows(scores, labels, mask):
    return [(s[m], y[m]) for s, y, m in zip(scores, labels, mask, strict=True) if m.any()]


def f1(predicted, true, empty):
    return f1_score(true, predicted) if true.any() or predicted.any() else empty


def precision_at(k, scores, labels):
    """Return the mean share of true labels among the first k over all orders of equal scores."""
    orders = itertools.permutations(range(len(scores)))
    sorted_ones = [order for order in orders if (np.diff(scores[list(order)]) <= 0).all()]
    return np.mean([labels[list(order)][:k].mean() for order in sorted_ones])


def ndcg_of(k, scores, labels):
    if len(scores) == 1:  # scikit-learn takes no single label
        return float(labels[0])
    return ndcg_score(labels[None], scores[None], k=k)


def reference(name, scores, labels, mask, threshold):
    rows = known_rows(scores, labels, mask)
    columns = known_rows(scores.T, labels.T, mask.T)
    if name == "example-f1":
        return np.mean([f1(s > threshold, y, 1.0) for s, y in rows])
    if name == "macro-f1":
        return np.mean([f1(s > threshold, y, 0.0) for s, y in columns])
    if name == "micro-f1":
        return f1_score(labels[mask], scores[mask] > threshold)
    if name == "subset-accuracy":
        return np.mean([((s > threshold) == y).all() for s, y in rows])
    if name in ("hamming-loss", "pixel-accuracy"):
        right = np.mean((scores > threshold)[mask] == labels[mask])
        return right if name == "pixel-accuracy" else 1 - right
    if name == "iou":
        pairs = [((s > threshold), y) for s, y in rows]
        return np.mean([(p & y).sum() / (p | y).sum() if (p | y).any() else 1.0 for p, y in pairs])
    if name == "relaxed-f1":
        pairs = [((s * y).sum(), s.sum() + y.sum()) for s, y in rows]
        return np.mean([2 * both / mass if mass else 1.0 for both, mass in pairs])
    if name == "precision-at-k":
        return np.mean([precision_at(5, s, y) for s, y in rows])
    if name == "ndcg-at-k":
        return np.mean([ndcg_of(5, s, y) for s, y in rows])
    if name == "map-micro":
        return average_precision_score(labels[mask], scores[mask])
    parts = rows if name == "map-example" else columns
    return np.mean([average_precision_score(y, s) for s, y in parts if y.any()])


def value(name, scores, labels, mask, threshold=0.5):
    metric = Metric.by_name(name)()
    for part in (slice(0, 7), slice(7, 40)):
        probabilities, true, known = (torch.from_numpy(a[part]) for a in (scores, labels, mask))
        metric(probabilities, probabilities > threshold, true, known)
    result = metric.get_metric(reset=True)
    return result if isinstance(result, float) else result[""]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_unknown_positions_count_nowhere(name, threshold):
    scores, labels, mask = batch()
    expected = reference(name, scores, labels, mask, threshold)
    assert value(name, scores, labels, mask, threshold) == pytest.approx(expected, abs=1e-12)
    changed = np.where(mask, scores, np.nan), np.where(mask, labels, ~labels), mask
    assert value(name, *changed, threshold) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_of_all_positions_changes_nothing(name):
    scores, labels, mask = batch()
    metric = Metric.by_name(name)()
    metric(torch.from_numpy(scores), torch.from_numpy(scores > 0.5), torch.from_numpy(labels))
    result = metric.get_metric(reset=True)
    result = result if isinstance(result, float) else result[""]
    assert value(name, scores, labels, np.ones_like(mask)) == pytest.approx(result, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_known_is_no_failure(name):
    scores, labels, mask = batch()
    assert value(name, scores, labels, np.zeros_like(mask)) in (0.0, 1.0)


def test_masks_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="probabilities, labels and mask of one shape"):
        labels = torch.ones(2, 3)
        Metric.by_name("micro-f1")()(torch.rand(2, 3), labels, labels, torch.ones(2))
