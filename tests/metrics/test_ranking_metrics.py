"""The metrics of the k most probable labels and micro average precision, against scikit-learn."""

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, ndcg_score
from test_masked_metrics import precision_at

from structured_energy.decoders import ArgmaxDecoder, Evaluation, Prediction
from structured_energy.metrics import (
    MicroAveragePrecision,
    NormalizedGainAtK,
    PrecisionAtK,
    RelaxedF1,
)
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace


@st.composite
def batches(draw):
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(2, 6))
    levels = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])  # few, so that there are ties
    scores = draw(arrays(np.float64, (rows, columns), elements=levels))
    scores = scores.astype(draw(st.sampled_from([np.float32, np.float64])))
    return scores, draw(arrays(np.bool_, (rows, columns))), draw(st.integers(1, 8))


def value(metric, scores, labels, size=2):
    for part in range(0, len(scores), size):
        p, y = (torch.tensor(each[part : part + size]) for each in (scores, labels))
        metric(p, p > 0.5, y)
    return metric.get_metric(reset=True)


@settings(max_examples=80, deadline=None)
@given(batches())
def test_the_gain_is_scikit_learn_s(data):
    scores, labels, k = data
    expected = ndcg_score(labels, scores, k=k)
    assert value(NormalizedGainAtK(k), scores, labels) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(batches())
def test_the_precision_is_the_mean_over_all_orders(data):
    scores, labels, k = data
    expected = np.mean([precision_at(k, *row) for row in zip(scores, labels, strict=True)])
    assert value(PrecisionAtK(k), scores, labels) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(batches())
def test_micro_average_precision_is_scikit_learn_s(data):
    scores, labels, _ = data
    expected = average_precision_score(labels, scores, average="micro") if labels.any() else 0.0
    assert value(MicroAveragePrecision(), scores, labels) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", [PrecisionAtK, NormalizedGainAtK])
def test_several_k_have_values_of_their_own(kind):
    generator = np.random.default_rng(0)
    scores, labels = generator.random((30, 9)), generator.random((30, 9)) < 0.4
    evaluation = Evaluation([kind(k=1), kind(k=3), kind(k=5)], ArgmaxDecoder(BinaryOutputSpace()))
    evaluation(Prediction(torch.from_numpy(scores)), torch.from_numpy(labels))
    expected = {f"{kind.name}_{k}": value(kind(k), scores, labels) for k in (1, 3, 5)}
    assert evaluation.values(reset=True) == expected
    assert len(set(expected.values())) == 3
    with pytest.raises(ConfigurationError, match=f"at least 1 in the metric '{kind.name}', got 0"):
        kind(k=0)


def test_relaxed_f1_is_the_oracle_value_of_the_relaxed_output():
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(9, 5, generator=generator, dtype=torch.float64)
    labels = torch.rand(9, 5, generator=generator) < 0.4
    scores[0], labels[0] = 0.0, False
    oracle_value = PerInstanceF1(BinaryOutputSpace())
    expected = oracle_value.value(labels[:, None].double(), scores[:, None]).mean()
    assert value(RelaxedF1(), scores.numpy(), labels.numpy()) == pytest.approx(float(expected))
