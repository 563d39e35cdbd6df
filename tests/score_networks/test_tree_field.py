"""Exact inference in trees against the enumeration of all closed sets."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import Loss
from structured_energy.samplers import Sampler
from structured_energy.score_networks import TaxonomyScore, tree_of
from structured_energy.testing import make_test_problem


@pytest.fixture()
def problem():
    problem = make_test_problem(space="tree")
    (term,) = problem.score_network.structured_scores
    assert isinstance(term, TaxonomyScore)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in term.parameters():
            parameter.normal_(std=2.0)
    return problem


def scores_of_all(problem):
    y = problem.output_space.outputs().double().expand(3, -1, -1)
    return y, problem.score_network(problem.x, y)


def test_the_score_is_the_sum_over_edges(problem):
    (term,) = problem.score_network.structured_scores
    y, _ = scores_of_all(problem)
    for row, score in zip(y[0], term(y)[0], strict=True):
        expected = 0.0
        for edge, (p, c) in enumerate(zip(term.above, term.below, strict=True)):
            weights = {(1, 1): term.both, (1, 0): term.only_parent, (0, 0): term.neither}
            expected += weights[int(row[p]), int(row[c])][edge]
        assert score.item() == pytest.approx(expected.item())


def test_the_partition_function_and_the_means_are_those_of_the_enumeration(problem):
    y, scores = scores_of_all(problem)
    tree = tree_of(problem.score_network, problem.x, None)
    torch.testing.assert_close(tree.log_partition(), scores.logsumexp(1))
    means = problem.build(Sampler, "{type: 'exact', kind: 'means'}")(problem.x)
    expected = (scores.softmax(1).unsqueeze(2) * y).sum(1)
    torch.testing.assert_close(means.y[:, 0], expected.detach())


def test_the_best_set_is_that_of_the_enumeration(problem):
    y, scores = scores_of_all(problem)
    best = problem.build(Sampler, "'exact'")(problem.x).y
    torch.testing.assert_close(problem.score_network(problem.x, best)[:, 0], scores.amax(1))


def test_draws_have_the_probabilities_of_the_field(problem):
    y, scores = scores_of_all(problem)
    sampler = problem.build(Sampler, "{type: 'exact', kind: 'draws', num_samples: 20000}")
    sample = sampler(problem.x)
    log_p = problem.score_network(problem.x, sample.y) - scores.logsumexp(1, keepdim=True)
    torch.testing.assert_close(sample.log_prob, log_p.detach())
    expected = (scores.softmax(1).unsqueeze(2) * y).sum(1)
    assert (sample.y.mean(1) - expected).abs().max() < 0.02


def test_the_likelihood_is_that_of_the_enumeration(problem):
    loss = problem.build(Loss, "{type: 'exact-likelihood', reduction: 'none'}")
    _, scores = scores_of_all(problem)
    truth = problem.score_network(problem.x, problem.truth)
    expected = scores.logsumexp(1, keepdim=True) - truth
    torch.testing.assert_close(loss(problem.x, problem.truth, problem.sample()), expected)


def test_what_is_not_exact_is_refused():
    with pytest.raises(ConfigurationError, match="'semi-markov'] or \\['taxonomy'\\]"):
        make_test_problem(space="dag").build(Sampler, "'exact'")
    problem = make_test_problem(space="tree")
    with pytest.raises(ConfigurationError, match="num_samples 1 with the kind 'best'"):
        problem.build(Sampler, "{type: 'exact', num_samples: 2}")
    problem.output_space.coherence = "max"
    with pytest.raises(ConfigurationError, match="coherence 'conditional' .* got 'max'"):
        problem.build(Sampler, "'exact'")
    with pytest.raises(ConfigurationError, match="'hierarchical' for the structured score"):
        TaxonomyScore(make_test_problem().output_space)
