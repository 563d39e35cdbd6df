"""Every metric against scikit-learn, in batches of unequal size, with ties."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import BooleanAccuracy, Metric
from component_names import names_of, needs_vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sklearn_metrics

from structured_energy.metrics import ExampleF1, as_structured
from structured_energy.metrics import average_precision as average_precision_module
from structured_energy.metrics.f1 import f1_units
from structured_energy.metrics.set_metric import SetMetric

NAMES = [
    "example-f1",
    "micro-f1",
    "macro-f1",
    "subset-accuracy",
    "hamming-loss",
    "map-example",
    "map-label",
]


def average_precision(labels, scores):
    """Return the mean over the columns that have a true row."""
    some = labels.any(axis=0)
    if not some.any():
        return 0.0
    return np.mean(
        [
            sklearn_metrics.average_precision_score(labels[:, i], scores[:, i])
            for i in np.flatnonzero(some)
        ]
    )


def is_of_sets(metric):
    return (
        isinstance(metric, type)
        and issubclass(metric, SetMetric)
        and not needs_vocabulary(metric)  # test_label_metrics.py, test_hierarchy_metrics.py
        and metric.uses_predictions
    )


def reference(name, scores, labels, threshold):
    predictions = scores > threshold
    if name == "example-f1":
        return np.mean(
            [
                sklearn_metrics.f1_score(truth, prediction, zero_division=1.0)
                if truth.any() or prediction.any()
                else 1.0
                for truth, prediction in zip(labels, predictions, strict=True)
            ]
        )
    if name in ("micro-f1", "macro-f1"):
        return sklearn_metrics.f1_score(labels, predictions, average=name[:5], zero_division=0.0)
    if name == "subset-accuracy":
        return sklearn_metrics.accuracy_score(labels, predictions)
    if name == "hamming-loss":
        return sklearn_metrics.hamming_loss(labels, predictions)
    if name == "map-example":
        return average_precision(labels.T, scores.T)
    return average_precision(labels, scores)


@st.composite
def batches(draw):
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(2, 6))
    levels = [0.0, 0.1, 0.25, 0.5, 0.7, 1.0]  # few, so that there are ties
    scores = draw(arrays(np.float64, (rows, columns), elements=st.sampled_from(levels)))
    scores = scores.astype(draw(st.sampled_from([np.float32, np.float64])))
    labels = draw(arrays(np.bool_, (rows, columns)))
    cut = draw(st.integers(0, rows))
    return scores, labels, cut, draw(st.sampled_from([0.05, 0.25, 0.6]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(batches())
def test_is_scikit_learn_s(name, data):
    scores, labels, cut, threshold = data
    metric = Metric.by_name(name)()
    for part in (slice(None, cut), slice(cut, None)):
        if len(scores[part]):
            part_scores = torch.tensor(scores[part])
            metric(part_scores, part_scores > threshold, torch.tensor(labels[part]))
    expected = reference(name, scores, labels, threshold)
    assert metric.get_metric(reset=True) == pytest.approx(expected, abs=1e-9)
    assert not metric.has_seen_data


@pytest.mark.parametrize("at_once", [1, 2**18])
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_average_precision_of_any_number(at_once, data):
    rows, columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    tiny, huge = 1e-45, 3e38
    levels = [0.0, -0.0, tiny, -tiny, 0.5, -0.5, 1.0, -1.0, huge, -huge, float("inf")]
    elements = st.one_of(st.sampled_from(levels), st.floats(width=32, allow_nan=False))
    scores = torch.tensor(data.draw(arrays(np.float32, (rows, columns), elements=elements)))
    labels = torch.tensor(data.draw(arrays(np.bool_, (rows, columns))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(average_precision_module, "_AT_ONCE", at_once)
        precisions = average_precision_module.average_precision(scores, labels)
        in_double = average_precision_module.average_precision(scores.double(), labels)
    torch.testing.assert_close(precisions, in_double, rtol=0, atol=1e-15, equal_nan=True)
    # Their ranks in place of numbers: scikit-learn takes no infinite ones.
    ranks = [np.unique(row, return_inverse=True)[1] for row in scores.numpy()]
    for value, truth, rank in zip(precisions, labels.numpy(), ranks, strict=True):
        if truth.any():
            expected = sklearn_metrics.average_precision_score(truth, rank)
            assert float(value) == pytest.approx(expected, abs=1e-12)
        else:
            assert value.isnan()


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_not_changed_and_other_events_are_flattened(name):
    torch.manual_seed(0)
    scores, labels = torch.rand(3, 2, 4, requires_grad=True), torch.rand(3, 2, 4) < 0.5
    before = scores.detach().clone(), labels.clone()
    image, flat = Metric.by_name(name)(), Metric.by_name(name)()
    image(scores, scores > 0.3, labels)
    flat(scores.flatten(1), scores.flatten(1) > 0.3, labels.flatten(1))
    assert image.get_metric() == flat.get_metric()
    assert image.get_metric() == image.get_metric(reset=False)
    torch.testing.assert_close(scores.detach(), before[0])
    assert (labels == before[1]).all()


def test_empty_examples_count_as_right():
    metric = ExampleF1()
    nothing = torch.zeros(2, 3)
    metric(nothing, nothing > 0.5, torch.tensor([[False] * 3, [True, False, False]]))
    assert metric.get_metric() == 0.5


def test_shapes_and_missing_data_are_named():
    for shapes in (((2, 3), (2, 4), (2, 4)), ((2, 4), (2, 3), (2, 4))):
        with pytest.raises(ValueError, match=r"'example_f1', got \(2, 3\) and \(2, 4\)"):
            ExampleF1()(*map(torch.zeros, shapes))
    with pytest.raises(ValueError, match="Expected data before the metric 'example_f1'"):
        ExampleF1().get_metric()


def test_other_metrics_are_refused():
    with pytest.raises(ConfigurationError, match="got BooleanAccuracy"):
        as_structured(BooleanAccuracy())


@pytest.mark.parametrize(
    "name", [name for name in names_of(Metric) if is_of_sets(Metric.by_name(name))]
)
def test_the_sums_at_many_cutoffs_are_those_at_each(name):
    metric = Metric.by_name(name)()
    generator = torch.Generator().manual_seed(2)
    # Some probabilities are thresholds themselves, some are 0 and 1.
    probabilities = torch.randint(11, (8, 9), generator=generator) / 10
    probabilities[:, :5] = torch.rand(8, 5, generator=generator)
    labels = torch.rand(8, 9, generator=generator) < 0.3
    shape = (8, 3, 3) if name in ("iou", "pixel-accuracy") else (8, 9)
    probabilities, labels = probabilities.view(shape), labels.view(shape)
    thresholds = [i / 10 for i in range(1, 10)]
    sums = metric.sums_at(probabilities, probabilities, labels, thresholds)
    for i, threshold in enumerate(thresholds):
        expected = metric.batch_sums(probabilities, probabilities > threshold, labels, None)
        assert sums.keys() == expected.keys()
        for key, value in expected.items():
            assert sums[key].dtype == value.dtype
            torch.testing.assert_close(sums[key][i], value, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "name", ["example-f1", "iou", "map-example", "relaxed-f1", "precision-at-k", "ndcg-at-k"]
)
def test_the_value_is_the_same_for_any_batches(name):
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(60, 9, generator=generator)
    labels = torch.rand(60, 9, generator=generator) < 0.4
    values = []
    for size in (1, 7, 60):
        metric = Metric.by_name(name)()
        for part, true in zip(scores.split(size), labels.split(size), strict=True):
            metric(part, part > 0.5, true)
        values.append(metric.get_metric())
    assert values[0] == values[1] == values[2]


def test_only_integers_are_added_up_over_batches():
    for name in names_of(Metric):
        kind = Metric.by_name(name)
        if is_of_sets(kind) or name in ("map-example", "relaxed-f1", "precision-at-k", "ndcg-at-k"):
            outputs, labels = torch.rand(3, 4) < 0.5, torch.rand(3, 4) < 0.5
            sums = kind().batch_sums(torch.rand(3, 4), outputs, labels, None)
            assert {value.dtype for value in sums.values()} == {torch.int64}, name


@pytest.mark.parametrize("labels", [3, 40, 900])
def test_f1_in_units_is_the_same_with_and_without_a_table(labels):
    generator = torch.Generator().manual_seed(labels)
    shared = torch.randint(labels // 3 + 1, (50, 300), generator=generator)
    mass = 2 * shared + torch.randint(labels // 3 + 1, (50, 300), generator=generator)
    expected = [
        [round(Fraction(2 * s, m) * 2**40) if m else 2**40 for s, m in zip(*row, strict=True)]
        for row in zip(shared.tolist(), mass.tolist(), strict=True)
    ]
    assert f1_units(shared, mass).tolist() == expected
    assert f1_units(shared[:1, :2], mass[:1, :2]).tolist() == [expected[0][:2]]  # too few
    assert f1_units(shared[:0], mass[:0]).shape == (0, 300)
