"""Metrics of sets of labels in a taxonomy against scikit-learn and the definitions."""

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from sklearn.metrics import auc, average_precision_score, f1_score, precision_recall_curve

from structured_energy.metrics import (
    AreaUnderPrecisionRecall,
    HierarchicalF1,
    LevelF1,
    Violations,
)
from structured_energy.testing import make_test_problem

ROWS, LABELS = 40, 4


@pytest.fixture(params=["tree", "dag"])
def problem(request):
    return make_test_problem(space=request.param)


def batch(problem, ties=False):
    torch.manual_seed(3)
    probabilities = torch.rand(ROWS, LABELS, dtype=torch.float64)
    if ties:
        probabilities = (5 * probabilities).round() / 5
    labels = problem.output_space.complete(torch.rand(ROWS, LABELS) < 0.3)
    return probabilities, torch.rand(ROWS, LABELS) < 0.4, labels


def closed_by_hand(taxonomy, rows):
    closed = np.zeros(rows.shape, dtype=bool)
    for row, on in enumerate(rows.numpy()):
        for place in np.flatnonzero(on):
            stack = [int(place)]
            while stack:
                term = stack.pop()
                closed[row, term] = True
                stack.extend(taxonomy.parents[term])
    return closed


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("excluded", [[], ["label_0", "label_2"]])
def test_au_prc_is_that_of_scikit_learn(problem, ties, excluded):
    probabilities, predictions, labels = batch(problem, ties)
    kept = [i for i in range(LABELS) if f"label_{i}" not in excluded]
    truth, scores = labels[:, kept].numpy(), probabilities[:, kept].numpy()
    precision, recall, _ = precision_recall_curve(truth.ravel(), scores.ravel())
    expected = {
        "steps": average_precision_score(truth, scores, average="micro"),
        "trapezoids": auc(recall, precision),
    }
    for interpolation, value in expected.items():
        metric = AreaUnderPrecisionRecall(problem.vocab, excluded, interpolation)
        for rows in torch.arange(ROWS).split(7):
            metric(probabilities[rows], predictions[rows], labels[rows])
        assert metric.get_metric() == pytest.approx(value, abs=1e-9)


def test_hierarchical_f1_is_that_of_the_closed_sets(problem):
    probabilities, predictions, labels = batch(problem)
    taxonomy = problem.output_space.taxonomy
    metric = HierarchicalF1(problem.vocab)
    metric(probabilities, predictions, labels)
    closed = closed_by_hand(taxonomy, predictions)
    truth = labels.numpy()
    precision = (closed & truth).sum() / closed.sum()
    recall = (closed & truth).sum() / truth.sum()
    found = metric.get_metric()
    assert found[".precision"] == pytest.approx(precision)
    assert found[".recall"] == pytest.approx(recall)
    assert found[""] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found[""] == pytest.approx(f1_score(truth, closed, average="micro"))


@pytest.mark.parametrize("is_masked", [False, True])
def test_hierarchical_f1_at_pairs_of_cutoffs_is_that_at_each(problem, is_masked):
    probabilities, _, labels = batch(problem, ties=True)
    mask = torch.rand(ROWS, LABELS) < 0.8 if is_masked else None
    share = probabilities / probabilities.amax(1, keepdim=True)
    cutoffs = [0.0, 0.3, 0.6, 0.9], [-0.1, 0.2, 0.5, 0.8, 1.0]
    metric = HierarchicalF1(problem.vocab)
    at_both = metric.sums_at_both(probabilities, (share, probabilities), labels, cutoffs, mask)
    at_one = metric.sums_at(probabilities, share, labels, cutoffs[0], mask)
    for i, first in enumerate(cutoffs[0]):
        expected = metric.batch_sums(probabilities, share > first, labels, mask)
        assert {key: value[i] for key, value in at_one.items()} == expected
        for j, second in enumerate(cutoffs[1]):
            on = (share > first) & (probabilities > second)
            expected = metric.batch_sums(probabilities, on, labels, mask)
            place = i * len(cutoffs[1]) + j
            assert {key: value[place] for key, value in at_both.items()} == expected


def test_violations_are_labels_without_a_parent(problem):
    probabilities, predictions, labels = batch(problem)
    taxonomy = problem.output_space.taxonomy
    metric = Violations(problem.vocab)
    metric(probabilities, predictions, labels)
    counts = [
        sum(
            any(not row[parent] for parent in taxonomy.parents[place])
            for place in np.flatnonzero(row)
        )
        for row in predictions.numpy()
    ]
    found = metric.get_metric()
    assert found[""] == pytest.approx(np.mean(np.array(counts) > 0)) and found[""] > 0
    assert found[".labels"] == pytest.approx(np.mean(counts))
    metric.reset()
    metric(probabilities, problem.output_space.complete(predictions), labels)
    assert metric.get_metric() == {"": 0.0, ".labels": 0.0}


def test_f1_by_level(problem):
    probabilities, predictions, labels = batch(problem)
    levels = problem.output_space.taxonomy.levels
    metric = LevelF1(problem.vocab)
    metric(probabilities, predictions, labels)
    found = metric.get_metric()
    values = []
    for level in range(levels.max() + 1):
        at = levels == level
        truth, output = labels.numpy()[:, at].ravel(), predictions.numpy()[:, at].ravel()
        values.append(f1_score(truth, output))
        assert found[f".{level + 1}"] == pytest.approx(values[-1])
    assert found[""] == pytest.approx(np.mean(values))


def test_what_does_not_fit_is_refused(problem):
    with pytest.raises(ConfigurationError, match="'excluded' .* got 'root'"):
        AreaUnderPrecisionRecall(problem.vocab, ["root"])
    with pytest.raises(ConfigurationError, match="'steps' or 'trapezoids' .* got 'linear'"):
        AreaUnderPrecisionRecall(problem.vocab, interpolation="linear")
    with pytest.raises(ConfigurationError, match="data with a taxonomy"):
        Violations(make_test_problem().vocab)
