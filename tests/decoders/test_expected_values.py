"""Decoders that maximise an expectation, against enumeration."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from structured_energy.decoders import (
    Decoder,
    ExpectedF1Decoder,
    MinimumBayesRiskDecoder,
    Prediction,
    RerankDecoder,
)
from structured_energy.decoders.expected_f1 import (
    expected_f1_by_size,
    maximise_expected_f1,
    maximise_expected_f1_of_draws,
)
from structured_energy.oracle_values import IntersectionOverUnion, PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.samplers import TemperedDrawsSampler
from structured_energy.samplers.tempered_draws import stratified_numbers
from structured_energy.testing import make_test_problem

SPACE = BinaryOutputSpace()


def subsets(size):
    return torch.tensor(list(itertools.product([False, True], repeat=size)))


def f1_of_pairs(one, other):
    """Return F1 of each pair of sets, `(len(one), len(other))`, in double."""
    one, other = one.double(), other.double()
    size = one.sum(1)[:, None] + other.sum(1)
    return torch.where(size == 0, 1.0, 2 * one @ other.T / size.clamp(min=1))


def distribution(p):
    """Return the probability of each subset under independence."""
    every = subsets(len(p))
    return torch.where(every, p.double(), 1 - p.double()).prod(1)


@st.composite
def probabilities(draw, size=10):
    levels = st.sampled_from([0.0, 1.0, 0.5, 1e-6, 0.3]) | st.floats(0.0, 1.0)
    return draw(st.lists(levels, min_size=1, max_size=size))


@settings(max_examples=60, deadline=None)
@given(probabilities())
def test_the_set_is_the_best_of_all_subsets(p):
    p = torch.tensor(p, dtype=torch.float64)
    every = subsets(len(p))
    expected = f1_of_pairs(every, every) @ distribution(p)
    chosen = maximise_expected_f1(p[None])[0]
    at = int((every == chosen).all(1).nonzero())
    assert float(expected[at]) == pytest.approx(float(expected.max()), abs=1e-9)
    by_size = expected_f1_by_size(p.sort(descending=True).values[None])[0]
    for size, value in enumerate(by_size.tolist()):
        best = expected[every.sum(1) == size].max()
        assert value == pytest.approx(float(best), abs=1e-9)


def test_many_labels_are_computed_as_few():
    """A tail of labels that are hardly probable, against the same computation without its bound."""
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(5, 300, generator=generator, dtype=torch.float64) ** 6
    p[1] *= 1e-3
    p = p.sort(dim=1, descending=True).values
    values = expected_f1_by_size(p)
    draws = torch.rand(40_000, 300, generator=generator, dtype=torch.float64)[:, None] < p
    sizes = draws.sum(2)
    for k in (1, 3, 10, values.shape[1] - 1):
        f1 = 2 * draws[:, :, :k].sum(2) / (sizes + k)
        assert f1.mean(0).tolist() == pytest.approx(values[:, k].tolist(), abs=0.006)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_row_is_decoded_as_it_is_by_itself(dtype):
    p = torch.rand(64, 20, generator=torch.Generator().manual_seed(1)).to(dtype) ** 3
    together = maximise_expected_f1(p)
    assert torch.equal(together, torch.cat([maximise_expected_f1(row) for row in p.split(1)]))


def test_a_temperature_changes_the_probabilities():
    p = torch.tensor([[0.9, 0.4, 0.2, 0.05]])
    for temperature in (0.5, 2.0):
        tempered = torch.sigmoid(torch.logit(p) / temperature)
        decoder = ExpectedF1Decoder(SPACE, temperature)
        assert torch.equal(decoder.decode(Prediction(p)), maximise_expected_f1(tempered))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(0, 10_000))
def test_the_set_is_the_best_under_weighted_draws(labels, count, seed):
    generator = torch.Generator().manual_seed(seed)
    draws = (torch.rand(2, count, labels, generator=generator) < 0.4).double()
    weights = torch.rand(2, count, generator=generator, dtype=torch.float64)
    weights /= weights.sum(1, keepdim=True)
    chosen = maximise_expected_f1_of_draws(draws, weights)
    every = subsets(labels)
    for row in range(2):
        expected = f1_of_pairs(every, draws[row]) @ weights[row]
        at = int((every == chosen[row]).all(1).nonzero())
        assert float(expected[at]) == pytest.approx(float(expected.max()), abs=1e-9)


def weighted_prediction(seed=0, count=6, labels=4):
    generator = torch.Generator().manual_seed(seed)
    p = torch.rand(3, labels, generator=generator, dtype=torch.float64)
    draws = torch.rand(3, count, labels, generator=generator) < 0.5
    scores, log_prob = torch.randn(2, 3, count, generator=generator, dtype=torch.float64)
    return Prediction(p, None, draws, scores, log_prob)


@pytest.fixture(name="problem")
def _problem():
    return make_test_problem()


@pytest.mark.parametrize(("beta", "prior"), [(0.0, 1.0), (0.5, 0.0), (2.0, 1.0), (1.0, 1.5)])
@pytest.mark.parametrize("value", [PerInstanceF1, IntersectionOverUnion])
@pytest.mark.parametrize("correct", [True, False])
def test_the_candidate_has_the_least_bayes_risk(problem, value, beta, prior, correct):
    value, networks = value(SPACE), (problem.task_network, problem.score_network)
    decoder = MinimumBayesRiskDecoder(SPACE, value, *networks, None, beta, prior, correct)
    for seed in range(10):
        prediction = weighted_prediction(seed)
        chosen = decoder.decode(prediction)
        for row in range(3):
            p = prediction.probabilities[row]
            draws = prediction.draws[row]
            candidates = [*draws, *(p > p.max() * i / 20 for i in range(1, 21))]
            log_p = torch.where(draws, p.log(), (1 - p).log()).sum(1)
            logits = beta * prediction.scores[row] + prior * log_p
            weights = torch.exp(logits - correct * prediction.log_prob[row])

            def risk(output, draws=draws, weights=weights):
                values = [
                    w * value.value(y[None, None].double(), output[None, None].double())
                    for w, y in zip(weights, draws, strict=True)
                ]
                return float(sum(values)) / float(weights.sum())

            best = max(map(risk, candidates))
            assert risk(chosen[row]) == pytest.approx(best, abs=1e-6)
            assert any(torch.equal(chosen[row], candidate) for candidate in candidates)


def test_the_draw_of_the_highest_score_is_taken(problem):
    prediction = weighted_prediction(3)
    for weight in (0.0, 0.3, 100.0):
        decoder = RerankDecoder(
            SPACE, problem.score_network, problem.task_network, prior_weight=weight
        )
        p = prediction.probabilities.unsqueeze(1)
        log_p = torch.where(prediction.draws, p.log(), (1 - p).log()).sum(2)
        values = prediction.scores + weight * log_p
        expected = prediction.draws[torch.arange(3), values.argmax(1)]
        assert torch.equal(decoder.decode(prediction), expected)


def test_with_many_draws_the_reranked_output_is_the_best_of_all(problem):
    """All 16 outputs are among the draws, so that the best of them is found."""
    problem.task_network.eval()
    sampler = TemperedDrawsSampler(SPACE, problem.task_network, 4000, temperatures=[3.0])
    decoder = RerankDecoder(SPACE, problem.score_network, sampler=sampler, prior_weight=0.7)
    logits = problem.task_network(problem.x).detach()
    with torch.no_grad():
        prediction = decoder.predict(problem.x, torch.sigmoid(logits))
        every = subsets(4).double().expand(3, 16, 4)
        scores = problem.score_network(problem.x, every)
    scores = scores + 0.7 * SPACE.log_prob(logits.unsqueeze(1), every)
    expected = every[torch.arange(3), scores.argmax(1)].bool()
    assert torch.equal(decoder.decode(prediction), expected)


@pytest.mark.parametrize(("beta", "prior"), [(1.0, 0.0), (0.0, 0.5), (0.7, 1.0)])
def test_importance_weights_make_draws_a_sample_of_the_distribution(problem, beta, prior):
    """The expected F1 under weighted draws against the exact one of ∝ exp(β · s) · p^λ."""
    problem.task_network.eval()
    snippet = (
        f"{{type: 'expected-f1-of-draws', score_weight: {beta}, prior_weight: {prior}, "
        "sampler: {type: 'tempered-draws', num_samples: 20000, temperatures: [1, 2]}}"
    )
    decoder = problem.build(Decoder, snippet)
    with torch.no_grad():
        logits = problem.task_network(problem.x)
        prediction = decoder.predict(problem.x, torch.sigmoid(logits))
        every = subsets(4).double().expand(3, 16, 4)
        scores = problem.score_network(problem.x, every)
    exact = (beta * scores + prior * SPACE.log_prob(logits.unsqueeze(1), every)).softmax(1)
    weights = decoder.weigh(prediction)(decoder.values())
    same = (prediction.draws.unsqueeze(2) == subsets(4)).all(3)  # (3, 20000, 16)
    estimated = (weights.unsqueeze(2) * same).sum(1)
    assert (estimated - exact).abs().max() < 0.01
    expected = exact @ f1_of_pairs(subsets(4), subsets(4)).T
    chosen = decoder.decode(prediction)
    for row in range(3):
        at = int((subsets(4) == chosen[row]).all(1).nonzero())
        assert float(expected[row, at]) > float(expected[row].max()) - 0.01


def test_tempered_draws_depend_on_the_instance_only(problem):
    problem.task_network.eval()
    sampler = TemperedDrawsSampler(SPACE, problem.task_network, 100, temperatures=[1.0, 2.0])
    torch.manual_seed(0)
    together = sampler(problem.x)
    torch.manual_seed(1)
    again = torch.cat([sampler(problem.x[i : i + 1]).y for i in range(3)])
    assert torch.equal(together.y, again)
    # Of K draws of a temperature, K · p have a label, up to one.
    logits = problem.task_network(problem.x)
    for y, temperature in zip(together.y.split(50, dim=1), (1.0, 2.0), strict=True):
        assert (y.sum(1) - 50 * torch.sigmoid(logits / temperature)).abs().max() <= 1
    first = y[:, :, 0] * 2 + y[:, :, 1]
    assert len(first.unique()) == 4  # the labels are not drawn together
    parts = [SPACE.log_prob(logits.unsqueeze(1) / t, together.y) for t in (1.0, 2.0)]
    expected = torch.stack(parts).exp().mean(0).log()
    torch.testing.assert_close(together.log_prob, expected)
    with pytest.raises(ConfigurationError, match=r"temperatures \[1.0, 2.0\] and num_samples 3"):
        TemperedDrawsSampler(SPACE, problem.task_network, 3, temperatures=[1.0, 2.0])


def test_padding_does_not_change_tempered_draws():
    problem = make_test_problem(space="categorical")
    problem.task_network.eval()
    sampler = TemperedDrawsSampler(problem.output_space, problem.task_network, 8)
    short = {"tokens": {"tokens": problem.x["tokens"]["tokens"][:, :2]}}
    longer = sampler(problem.x, None, problem.mask).y
    assert torch.equal(sampler(short, None, problem.mask[:, :2]).y, longer[:, :, :2])


def test_tempered_draws_do_not_depend_on_the_default_dtype():
    numbers = {}
    for dtype in (torch.float64, torch.float32):
        stratified_numbers.cache_clear()
        torch.set_default_dtype(dtype)
        numbers[dtype] = stratified_numbers(3, 4, (5,))
    assert torch.equal(numbers[torch.float64], numbers[torch.float32])


def test_what_a_decoder_by_draws_needs_is_named(problem):
    space, value, score_network = SPACE, PerInstanceF1(SPACE), problem.score_network
    with pytest.raises(ConfigurationError, match="a 'sampler' or a model with a task network"):
        MinimumBayesRiskDecoder(space, value, None, score_network)
    with pytest.raises(ConfigurationError, match="a score network for the score_weight 2"):
        MinimumBayesRiskDecoder(space, value, problem.task_network, None, None, 2.0)
    decoder = MinimumBayesRiskDecoder(space, value, problem.task_network, score_network)
    with pytest.raises(ValueError, match="a prediction with draws .* got one without"):
        decoder.decode(Prediction(torch.rand(2, 4)))
    prediction = weighted_prediction()._replace(log_prob=None)
    with pytest.raises(
        ConfigurationError, match="log-probabilities .* set correct_for_proposal: false"
    ):
        decoder.decode(prediction)
    without = MinimumBayesRiskDecoder(space, value, problem.task_network)
    assert float(without.score_weight) == 0.0 and "score_weight" not in without.grid
