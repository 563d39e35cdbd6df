"""Terms over sets of labels, against plain loops."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.score_networks import CardinalityScore, PairwiseScore, ScaledLogitsScore

LABELS = 5


def with_random_weights(term):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in term.parameters():
            parameter.normal_()
    return term


@pytest.fixture
def y():
    torch.manual_seed(0)
    return (torch.rand(3, 4, LABELS) < 0.5).float()


def test_pairwise_is_a_sum_over_pairs(y):
    term = with_random_weights(PairwiseScore(LABELS))
    for row, scores in zip(y, term(y), strict=True):
        for labels, score in zip(row, scores, strict=True):
            on = labels.nonzero().flatten().tolist()
            expected = sum(term.weight[i, j] for i in on for j in on if i < j)
            torch.testing.assert_close(score, torch.as_tensor(expected, dtype=score.dtype))


@pytest.mark.parametrize(("largest", "num_highest"), [(2, 0), (9, 3)])
def test_cardinality_depends_on_the_number_and_on_the_highest_entries(y, largest, num_highest):
    space = BinaryOutputSpace()
    term = with_random_weights(CardinalityScore(LABELS, 7, space, largest, num_highest))
    h = torch.randn(3, 7)
    scores = term(y, None, term.encode(None, h, None))
    for i in range(3):
        highest = sorted(h[i].tolist(), reverse=True)[:num_highest]
        for j in range(4):
            n = min(int(y[i, j].sum()), largest)
            weights = term.potentials[n].tolist()
            expected = weights[0] + sum(c * t for c, t in zip(weights[1:], highest, strict=True))
            assert scores[i, j].item() == pytest.approx(expected, abs=1e-5)


def test_cardinality_is_linear_between_two_numbers():
    term = with_random_weights(CardinalityScore(2, 1, BinaryOutputSpace()))
    y = torch.tensor([[[1.0, 0.0], [1.0, 0.25], [1.0, 1.0]]])
    one, between, two = term(y, None, term.encode(None, torch.zeros(1, 1), None))[0]
    torch.testing.assert_close(between, 0.75 * one + 0.25 * two)


def test_scaled_logits_of_the_start_are_the_logits(y):
    term, h = ScaledLogitsScore(LABELS, LABELS), torch.randn(3, LABELS)
    scores = term(y, None, term.encode(None, h, None))
    torch.testing.assert_close(scores, (y * h.unsqueeze(1)).sum(2))
    with torch.no_grad():
        term.scale.fill_(0.5)
        term.shifts.fill_(2.0)
    scores = term(y, None, term.encode(None, h, None))
    torch.testing.assert_close(scores, (y * (0.5 * h.unsqueeze(1) + 2)).sum(2))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigurationError, match="encoder of 5 logits .* got vectors of size 7"):
        ScaledLogitsScore(LABELS, 7)
    with pytest.raises(ConfigurationError, match=r"num_highest among 0 … 7, .* got 8"):
        CardinalityScore(LABELS, 7, BinaryOutputSpace(), num_highest=8)
    with pytest.raises(ConfigurationError, match="largest of at least 1"):
        CardinalityScore(LABELS, 7, BinaryOutputSpace(), largest=0)
