"""Decoders of linear chains, against the distribution over all sequences."""

import itertools

import pytest
import torch

from structured_energy.decoders import MinimumBayesRiskDecoder, RerankDecoder
from structured_energy.metrics import SpanF1, TagAccuracy
from structured_energy.oracle_values import HammingOracleValue
from structured_energy.samplers import ExactSampler, Sampler
from structured_energy.score_networks import ScoreNetwork
from structured_energy.testing import make_test_problem

SEED = 6


@pytest.fixture
def problem():
    problem = make_test_problem(space="categorical")
    embedder = "{token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}}"
    encoder = f"{{type: 'tokens', embedder: {embedder}}}"
    problem.score_network = problem.build(
        ScoreNetwork, f"{{structured_scores: ['linear-chain'], encoder: {encoder}}}"
    )
    torch.manual_seed(SEED)  # under which the best tags are not those of the best probabilities
    with torch.no_grad():
        for parameter in problem.score_network.parameters():
            parameter.normal_()
    return problem


def means_of(problem):
    sampler = problem.build(Sampler, "{type: 'exact', kind: 'means'}")
    return sampler.sample(problem.x, None, problem.mask).y[:, 0]


def test_a_prediction_has_the_best_tags_and_the_probabilities_of_each(problem):
    exact = ExactSampler(problem.output_space, problem.score_network)
    decoder = RerankDecoder(
        problem.output_space, problem.score_network, sampler=exact, prior_weight=0
    )
    prediction = decoder.predict(problem.x, means_of(problem), problem.mask)
    expected = exact.sample(problem.x, None, problem.mask).y[:, 0].argmax(-1)
    assert decoder.decode(prediction)[problem.mask].equal(expected[problem.mask])
    assert (prediction.probabilities.argmax(-1) != expected)[problem.mask].any()
    assert ((prediction.probabilities > 0.01) & (prediction.probabilities < 0.99)).any()


@pytest.mark.parametrize("utility", ["hamming", "tag-accuracy", "span-f1"])
def test_minimum_bayes_risk_is_that_of_the_distribution(problem, utility):
    metric = {
        "hamming": None,
        "tag-accuracy": TagAccuracy(),
        "span-f1": SpanF1(problem.vocab, "BIO"),
    }[utility]
    decoder = MinimumBayesRiskDecoder(
        problem.output_space,
        HammingOracleValue(problem.output_space),
        score_network=problem.score_network,
        score_weight=1,
        prior_weight=0,
        utility=metric,
    )
    means = means_of(problem)
    result = decoder.decode(decoder.predict(problem.x, means, problem.mask))
    assert result.equal(decoder.decode(decoder.predict(problem.x, means, problem.mask)))
    measure = metric or TagAccuracy()
    for i, real in enumerate(problem.mask):
        every = torch.tensor(list(itertools.product(range(3), repeat=int(real.sum()))))
        tags = torch.zeros(len(every), len(real), dtype=torch.long)
        tags[:, real] = every
        y = problem.output_space.encode(tags, problem.dtype).transpose(0, 1)
        scores = problem.score_network(problem.instance(i), y, problem.mask[[i]])
        p = scores[0].softmax(0)
        values = measure.pairwise(tags[None], tags[None], problem.mask[[i]])[0]
        expected = (p.unsqueeze(1) * values).sum(0)
        own = expected[(every == result[i, real]).all(1)][0]
        assert own > expected.max() - 0.02
