"""The most probable outputs of the task network, against enumeration."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.samplers import Sampler
from structured_energy.samplers.most_probable import cheapest_flips
from structured_energy.testing import make_test_problem


@pytest.mark.parametrize("count", [1, 2, 5, 16, 40])
def test_they_are_the_most_probable_of_all_outputs(count):
    problem = make_test_problem()
    sample = problem.build(Sampler, f"{{type: 'most-probable', num_samples: {count}}}").sample(
        problem.x, None
    )
    logits = problem.task_network(problem.x)
    outputs = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4))).to(logits)
    for y, log_prob, of_row in zip(sample.y, sample.log_prob, logits, strict=True):
        expected = torch.distributions.Bernoulli(logits=of_row).log_prob(outputs).sum(1)
        order = expected.argsort(descending=True)[:count]
        torch.testing.assert_close(y, outputs[order])
        torch.testing.assert_close(log_prob, expected[order])


@pytest.mark.parametrize("size", [1, 3, 9])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 60])
def test_the_flips_have_the_smallest_sums(size, count):
    costs = torch.rand(5, size).sort(1).values
    flips = cheapest_flips(costs, count)
    subsets = torch.tensor(list(itertools.product((0.0, 1.0), repeat=size)))
    expected = (costs @ subsets.T).sort(1).values[:, :count]
    torch.testing.assert_close((flips * costs.unsqueeze(1)).sum(2), expected)
    for rows in flips.tolist():
        assert len({tuple(row) for row in rows}) == len(rows)


def test_padding_changes_nothing():
    problem = make_test_problem()
    sampler = problem.build(Sampler, "{type: 'most-probable', num_samples: 3}")
    mask = torch.ones_like(problem.truth[:, 0]).bool()
    mask[:, -1] = False
    sample = sampler.sample(problem.x, None, mask)
    assert (sample.y[..., -1] == 0).all()
    logits = problem.task_network(problem.x)[:, :-1]
    outputs = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3))).to(logits)
    for y, of_row in zip(sample.y, logits, strict=True):
        expected = torch.distributions.Bernoulli(logits=of_row).log_prob(outputs).sum(1)
        torch.testing.assert_close(y[:, :-1], outputs[expected.argsort(descending=True)[:3]])


def test_less_than_one_sample_is_refused():
    with pytest.raises(ConfigurationError, match="num_samples of at least 1 .* got 0"):
        make_test_problem().build(Sampler, "{type: 'most-probable', num_samples: 0}")


def test_tags_are_refused():
    with pytest.raises(ConfigurationError, match="output space 'binary'"):
        make_test_problem(space="categorical").build(Sampler, "'most-probable'")
