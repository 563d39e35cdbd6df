"""Decoders by cutoffs against plain loops, and how the best parameters are chosen."""

import copy
import itertools
import logging
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from selection import by_turns
from sklearn.metrics import f1_score

from structured_energy.decoders import (
    AtLeastOneDecoder,
    Decoder,
    Evaluation,
    Observation,
    PerLabelDecoder,
    Prediction,
    RelativeAndAbsoluteDecoder,
    RelativeDecoder,
    ThresholdDecoder,
    TopKDecoder,
)
from structured_energy.metrics import ExampleF1, TagAccuracy
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.output_spaces.categorical import CategoricalOutputSpace

SPACE = BinaryOutputSpace()


def observed(scores, labels, mask=None, sizes=None):
    parts = [t if t is None else t.split(sizes or len(scores)) for t in (scores, labels, mask)]
    masks = parts[2] or [None] * len(parts[0])
    return [Observation(Prediction(p), y, m) for p, y, m in zip(*parts[:2], masks, strict=True)]


def problem(seed=3, rows=40, labels=5):
    generator = torch.Generator().manual_seed(seed)
    y = torch.rand(rows, labels, generator=generator) < 0.3
    p = (0.4 * y + 0.3 * torch.rand(rows, labels, generator=generator)).clamp(0, 1)
    return p, y


def value_of(metric, outputs, p, y, mask=None):
    metric = copy.deepcopy(metric)
    metric.reset()
    metric(p, outputs, y, mask)
    value = metric.get_metric()
    return value[""] if isinstance(value, dict) else value


# A rule by a plain loop over an instance, given its probabilities and the parameters.
RULES = {
    "threshold": lambda p, at: {i for i, q in enumerate(p) if q > at["threshold"]},
    "relative": lambda p, at: {i for i, q in enumerate(p) if q > at["proportion"] * max(p)},
    "relative-and-absolute": lambda p, at: {
        i for i, q in enumerate(p) if q > at["proportion"] * max(p) and q > at["threshold"]
    },
    "top-k": lambda p, at: set(sorted(range(len(p)), key=lambda i: (-p[i], i))[: int(at["k"])]),
}
SMALL = {
    "threshold": {"candidates": 7},
    "relative": {"candidates": 7},
    "relative-and-absolute": {},
    "top-k": {"max_k": 4},
}


METRICS = ["example-f1", "micro-f1", "subset-accuracy", "hamming-loss"]


@pytest.mark.parametrize(
    ("name", "never_empty", "metric"),
    by_turns(itertools.product(RULES, [False, True], METRICS), lambda case: case[:2]),
)
def test_the_fitted_parameters_are_the_best_of_the_grid(name, metric, never_empty):
    p, y = problem()
    inner = Decoder.by_name(name)(SPACE, metric=Metric.by_name(metric)(), **SMALL[name])
    decoder = AtLeastOneDecoder(SPACE, inner) if never_empty else inner
    decoder.fit(observed(p, y, sizes=7))

    def outputs(at):
        on = torch.zeros_like(y)
        for i, row in enumerate(p.double().tolist()):
            chosen = RULES[name](row, at)
            if never_empty and not chosen:
                chosen = {row.index(max(row))}
            on[i, list(chosen)] = True
        return on

    products = itertools.product(*inner.grid.values())
    points = [dict(zip(inner.grid, point, strict=True)) for point in products]
    values = [value_of(inner.metric, outputs(at), p, y) for at in points]
    best = max(values) if inner.metric.higher_is_better else min(values)
    assert torch.equal(decoder.decode(Prediction(p)), outputs(inner.values()))
    assert value_of(inner.metric, outputs(inner.values()), p, y) == pytest.approx(best, abs=1e-12)
    assert len({round(value, 6) for value in values}) > 2
    for curve in decoder.curves(observed(p, y)):
        fixed = inner.values()
        expected = [
            value_of(inner.metric, outputs({**fixed, curve.parameter: at}), p, y)
            for at in curve.candidates
        ]
        assert curve.values == pytest.approx(expected) and curve.used in curve.candidates


def test_of_equally_probable_labels_the_first_are_on():
    p = torch.tensor([[0.4, 0.7, 0.4, 0.7]])
    assert TopKDecoder(SPACE, k=1).decode(Prediction(p)).tolist() == [[False, True, False, False]]
    assert TopKDecoder(SPACE, k=3).decode(Prediction(p)).tolist() == [[True, True, False, True]]
    lonely = AtLeastOneDecoder(SPACE, ThresholdDecoder(SPACE, 0.9))
    assert lonely.decode(Prediction(p)).tolist() == [[False, True, False, False]]


def test_images_are_decoded_as_a_whole():
    p = torch.tensor([[[0.1, 0.2], [0.4, 0.3]]])
    relative = RelativeDecoder(SPACE, proportion=0.6).decode(Prediction(p))
    assert relative.tolist() == [[[False, False], [True, True]]]
    assert TopKDecoder(SPACE, k=2).decode(Prediction(p)).tolist() == relative.tolist()


def exact_f1(predicted, true):
    """Return the mean F1 of examples as a fraction."""
    total = Fraction(0)
    for prediction, truth in zip(predicted.tolist(), true.tolist(), strict=True):
        size = sum(prediction) + sum(truth)
        shared = sum(a and b for a, b in zip(prediction, truth, strict=True))
        total += Fraction(2 * shared, size) if size else 1
    return total / len(true)


@pytest.mark.parametrize("seed", [*range(20), 288, 424])
def test_of_equal_thresholds_the_nearest_to_a_half_is_taken_whatever_the_batches(seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.rand(7, 3, generator=generator) < 0.4
    scores = torch.randint(9, (7, 3), generator=generator) / 10 + 0.05
    values = [exact_f1(scores > i / 100, labels) for i in range(1, 100)]
    ties = [i for i, value in enumerate(values, 1) if value == max(values)]
    expected = min(ties, key=lambda i: (abs(i - 50), i)) / 100
    for size in (1, 2, 3, 7):
        decoder = ThresholdDecoder(SPACE)
        decoder.fit(observed(scores, labels, sizes=size))
        assert float(decoder.threshold) == pytest.approx(expected), size


@pytest.mark.parametrize(
    "name", ["example-f1", "micro-f1", "macro-f1", "subset-accuracy", "hamming-loss", "iou"]
)
def test_of_equal_points_the_nearest_to_the_start_is_taken_in_any_metric(name):
    decoder = ThresholdDecoder(SPACE, metric=Metric.by_name(name)(), candidates=4)
    worse = 1.0 if name == "hamming-loss" else 0.0
    for step in (1e-16, -1e-16):
        assert decoder._best([0.7, 0.7 + step, 0.7, worse]) == 1
        assert decoder._best([0.7, worse, worse, 0.7 + step]) == 0


@pytest.mark.parametrize("name", ["example-f1", "macro-f1", "iou"])
def test_only_known_positions_are_fitted(name):
    p, y = problem()
    mask = torch.rand(y.shape, generator=torch.Generator().manual_seed(0)) < 0.7
    fitted = []
    for turned in (False, True):
        decoder = RelativeAndAbsoluteDecoder(SPACE, metric=Metric.by_name(name)())
        decoder.fit(observed(p, y ^ (~mask & turned), mask))
        fitted.append(decoder.fitted_values())
        values = [
            value_of(decoder.metric, decoder.rule(Prediction(p))(at), p, y, mask)
            for at in decoder.points()
        ]
        used = value_of(decoder.metric, decoder.decode(Prediction(p)), p, y, mask)
        assert used == pytest.approx(max(values))
    assert fitted[0] == fitted[1]


def of_labels(count, **settings):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for i in range(count):
        vocab.add_token_to_namespace(f"label_{i}", "labels")
    return PerLabelDecoder(vocab, SPACE, **settings)


@pytest.mark.parametrize("shrinkage", [0.0, 4.0, 1e9])
def test_thresholds_by_label(shrinkage):
    p, y = problem(rows=60)
    y[:, 4] = False
    mask = torch.rand(y.shape, generator=torch.Generator().manual_seed(0)) < 0.9
    decoder = of_labels(5, shrinkage=shrinkage, candidates=19)
    decoder.fit(observed(p, y, mask, sizes=13))
    grid = np.array([i / 20 for i in range(1, 20)], dtype=np.float32)
    common = float(decoder.common.threshold)
    for i in range(5):
        known = mask[:, i].numpy()
        true, scores = y[:, i].numpy()[known], p[:, i].numpy()[known]
        f1 = np.array([f1_score(true, scores > t, zero_division=0.0) for t in grid])
        best = min(grid[f1 == f1.max()], key=lambda t: abs(t - common))
        expected = common
        if true.sum() + shrinkage:
            expected = (true.sum() * best + shrinkage * common) / (true.sum() + shrinkage)
        assert float(decoder.thresholds[i]) == pytest.approx(expected, abs=1e-6), i
    if shrinkage == 1e9:
        assert decoder.thresholds.tolist() == pytest.approx([common] * 5, abs=1e-6)


def test_thresholds_by_label_need_sets_of_labels():
    with pytest.raises(ValueError, match=r"\(batch, 3\) .* got \(2, 4\)"):
        of_labels(3).decode(Prediction(torch.rand(2, 4)))
    with pytest.raises(ConfigurationError, match="shrinkage of at least 0 .* got -1"):
        of_labels(3, shrinkage=-1.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ThresholdDecoder(SPACE, 1.5), r"threshold in \[0, 1\] .* got 1.5"),
        (lambda: RelativeDecoder(SPACE, 1.0), "proportion in .* got 1"),
        (lambda: ThresholdDecoder(SPACE, candidates=0), "at least 1 candidate for threshold"),
        (lambda: TopKDecoder(SPACE, k=0), "k in .* got 0"),
        (
            lambda: TopKDecoder(SPACE, k=5).decode(Prediction(torch.rand(2, 4))),
            "at most 4, the number of labels.* got 5",
        ),
        (lambda: TopKDecoder(SPACE, max_k=0), "max_k of at least 1 .* got 0"),
        (
            lambda: ThresholdDecoder(SPACE, metric=Metric.by_name("map-label")()),
            "metric in which the outputs play a part, .* got 'map_label'",
        ),
        (
            lambda: ThresholdDecoder(SPACE, metric=TagAccuracy()),
            "metric of the output space, such as 'example-f1', .* got 'tag_accuracy'",
        ),
    ],
)
def test_bad_settings_are_named(build, message):
    with pytest.raises(ConfigurationError, match=message):
        build()


def test_a_rule_of_sets_is_refused_for_tags():
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in "ab":
        vocab.add_token_to_namespace(tag, "labels")
    space = CategoricalOutputSpace(vocab)
    with pytest.raises(ConfigurationError, match="'binary' .* got CategoricalOutputSpace"):
        Decoder.from_params(Params({"type": "relative"}), vocab=vocab, output_space=space)


def test_a_parameter_of_the_config_wins_and_a_fitted_one_is_loaded(caplog):
    fitted = ThresholdDecoder(SPACE)
    fitted.threshold.fill_(0.3)
    fixed = ThresholdDecoder(SPACE, 0.9)
    fixed.load_state_dict(fitted.state_dict())
    assert float(fixed.threshold) == pytest.approx(0.9)
    assert "sets 'threshold' to 0.9; the value saved with the weights, 0.3" in caplog.text
    caplog.clear()
    copy.deepcopy(fixed).load_state_dict(pickle.loads(pickle.dumps(fixed)).state_dict())
    assert not caplog.text
    fitted.load_state_dict(fixed.state_dict())
    assert float(fitted.threshold) == pytest.approx(0.9)


def test_another_decoder_than_the_saved_one_says_that_it_is_not_fitted(caplog):
    with caplog.at_level(logging.WARNING):
        relative = RelativeDecoder(SPACE)
        relative.load_state_dict(ThresholdDecoder(SPACE).state_dict())
    assert "RelativeDecoder" in caplog.text and "allennlp decode" in caplog.text
    caplog.clear()
    RelativeDecoder(SPACE, 0.5).load_state_dict(ThresholdDecoder(SPACE).state_dict())
    AtLeastOneDecoder(SPACE, relative).load_state_dict(
        AtLeastOneDecoder(SPACE, RelativeDecoder(SPACE)).state_dict()
    )
    assert not caplog.text


@pytest.mark.parametrize("fitted", [True, False])
def test_an_evaluation_uses_the_parameters_that_are_best_for_all_batches(fitted):
    p, y = problem(rows=50)

    def f1(threshold):
        return f1_score(y, p > np.float32(threshold), average="samples", zero_division=1.0)

    decoder = ThresholdDecoder(SPACE, None if fitted else 0.5, candidates=9)
    evaluation = Evaluation([ExampleF1()], decoder)
    for _ in range(2):  # the second time begins anew
        with evaluation.fitting():
            for rows in np.split(np.arange(50), [20]):
                evaluation(Prediction(p[rows]), y[rows])
        best = max(f1(i / 10) for i in range(1, 10)) if fitted else f1(0.5)
        assert evaluation.values(reset=True) == {"example_f1": pytest.approx(best)}
    assert (best > f1(0.5)) == fitted


def test_after_an_error_the_parameters_stay():
    evaluation = Evaluation([ExampleF1()], ThresholdDecoder(SPACE))
    with pytest.raises(RuntimeError), evaluation.fitting():
        evaluation(Prediction(torch.ones(2, 3)), torch.ones(2, 3).bool())
        raise RuntimeError
    assert float(evaluation.decoder.threshold) == 0.5
    assert evaluation.values(reset=True) == {}
