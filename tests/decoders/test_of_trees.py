"""Exact draws of dependency trees and the decoder that uses them, against all trees."""

import itertools

import pytest
import torch
from all_trees import all_trees

from structured_energy.decoders import MinimumBayesRiskDecoder
from structured_energy.oracle_values import HammingOracleValue
from structured_energy.samplers import Sampler
from structured_energy.testing import make_test_problem

kinds = pytest.mark.parametrize(
    ("single_root", "projective"), list(itertools.product((True, False), (True, False)))
)


def problem_of(single_root, projective):
    torch.manual_seed(0)
    problem = make_test_problem(space="dependencies")
    problem.score_network.eval()
    space = problem.output_space
    space.single_root, space.projective = single_root, projective
    problem.mask[1, 1:] = False
    return problem


def outputs_of(space, length, size):
    """Return all labels `(count, size)` of a sentence."""
    trees = all_trees(length, space.single_root, space.projective)
    relations = itertools.product(range(space.num_relations), repeat=length)
    rows = torch.cat([1 + trees * space.num_relations + torch.tensor(r) for r in relations])
    labels = torch.zeros(len(rows), size, dtype=torch.long)
    labels[:, :length] = rows
    return labels


def distribution(problem, row):
    """Return the labels of a sentence and their probabilities."""
    space, mask = problem.output_space, problem.mask
    labels = outputs_of(space, int(mask[row].sum()), mask.shape[1])
    y = space.encode(labels)[:, 0].unsqueeze(0).expand(len(mask), -1, -1, -1)
    return labels, problem.score_network(problem.x, y, mask)[row].softmax(0)


@kinds
def test_draws_with_a_seed_have_the_probabilities_of_trees(single_root, projective):
    problem = problem_of(single_root, projective)
    config = "{type: 'exact', kind: 'draws', num_samples: 1000, seed: 3}"
    sample = problem.build(Sampler, config)(problem.x, None, problem.mask)
    again = problem.build(Sampler, config)(problem.x, None, problem.mask)
    assert sample.y.equal(again.y)
    for row in range(len(problem.mask)):
        labels, p = distribution(problem, row)
        drawn = problem.output_space.decode(sample.y[row]) * problem.mask[row]
        equal = (drawn.unsqueeze(1) == labels.unsqueeze(0)).all(2)
        assert equal.sum(1).eq(1).all()
        y = problem.output_space.encode(labels)[:, 0].double()
        expected = torch.einsum("s,snv->nv", p.double(), y)[problem.mask[row]]
        mean = sample.y[row].double().mean(0)[problem.mask[row]]
        error = (expected * (1 - expected) / 1000).sqrt()
        assert ((mean - expected).abs() <= 5 * error).all()
        torch.testing.assert_close(sample.log_prob[row].exp(), p[equal.int().argmax(1)])


@kinds
def test_minimum_bayes_risk_of_a_field_without_a_task_network(single_root, projective):
    problem = problem_of(single_root, projective)
    space, mask = problem.output_space, problem.mask
    decoder = MinimumBayesRiskDecoder(
        space,
        HammingOracleValue(space),
        score_network=problem.score_network,
        score_weight=1,
        prior_weight=0,
    )
    means = problem.build(Sampler, "{type: 'exact', kind: 'means'}")(problem.x, None, mask).y[:, 0]
    result = decoder.decode(decoder.predict(problem.x, means, mask))
    assert result.equal(decoder.decode(decoder.predict(problem.x, means, mask)))
    for row in range(len(mask)):
        labels, p = distribution(problem, row)
        labels = labels[:, mask[row]]
        right = (labels.unsqueeze(1) == labels.unsqueeze(0)).double().mean(2)
        expected = (p.unsqueeze(1).double() * right).sum(0)
        own = expected[(labels == result[row, mask[row]]).all(1)]
        assert own.item() > expected.max() - 0.03
