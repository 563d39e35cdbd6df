"""Draws against their distributions, and the containers."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.samplers import Sampler
from structured_energy.testing import make_test_problem

SPACE = BinaryOutputSpace()
BITS = torch.tensor([8, 4, 2, 1])


@pytest.mark.parametrize("kind", ["discrete", "gumbel", "gaussian"])
def test_draws_have_the_task_network_s_probabilities(problem, kind):
    sampler = problem.build(
        Sampler, f"{{type: 'network-draws', num_samples: 20000, kind: '{kind}', temperature: 0.5}}"
    )
    torch.manual_seed(0)
    draws = sampler.sample(problem.x, None)
    assert SPACE.contains(draws.y)
    logits = problem.task_network(problem.x)
    if kind == "discrete":
        logits = logits / 0.5
    if kind == "gaussian":
        noise = SPACE.logits_of(draws.y) - logits.unsqueeze(1)
        torch.testing.assert_close(noise.mean(1), torch.zeros_like(logits), atol=0.02, rtol=0)
        torch.testing.assert_close(noise.std(1), torch.full_like(logits, 0.5), atol=0.02, rtol=0)
        return
    numbers = ((draws.y > 0.5).long() * BITS).sum(-1)
    for i, z in enumerate(logits):
        exact = torch.tensor(
            [
                torch.where(torch.tensor(y) > 0, z.sigmoid(), (-z).sigmoid()).prod().detach()
                for y in itertools.product([0, 1], repeat=4)
            ]
        )
        empirical = torch.bincount(numbers[i], minlength=16) / 20000
        assert (empirical - exact).abs().sum() / 2 < 0.02  # total variation
        if kind == "discrete":
            torch.testing.assert_close(draws.log_prob[i].exp(), exact[numbers[i]])


@pytest.mark.parametrize("kind", ["gumbel", "gaussian"])
def test_relaxed_draws_carry_a_gradient(problem, kind):
    sampler = problem.build(Sampler, f"{{type: 'network-draws', num_samples: 2, kind: '{kind}'}}")
    sampler.sample(problem.x, None).y.sum().backward()
    assert all(p.grad is not None for p in problem.task_network.parameters())


def test_random_outputs_are_uniform(problem):
    y = problem.build(Sampler, "{type: 'random', num_samples: 4000}").sample(problem.x, None).y
    assert y.shape == (3, 4000, 4)
    for moment, expected in ((1, 1 / 2), (2, 1 / 3)):
        means = (y**moment).mean(1)
        torch.testing.assert_close(means, torch.full_like(means, expected), atol=0.03, rtol=0)


def test_one_constituent_is_picked_at_its_rate(problem):
    sampler = problem.build(
        Sampler,
        "{type: 'random-picking-container', probabilities: [0.2, 0, 0.8], constituents: ["
        "'ground-truth', 'random', {type: 'random', num_samples: 2, log_key: 'two'}]}",
    )
    torch.manual_seed(0)
    counts = [0, 0]
    for _ in range(1000):
        y = sampler.sample(problem.x, problem.truth).y
        counts[y.shape[1] - 1] += 1
        assert y.shape[1] == 2 or (y == problem.truth).all()
    assert counts[0] / 1000 == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("probabilities", [[1], [0.5, 0.6], [1.5, -0.5]])
def test_probabilities_are_checked(problem, probabilities):
    with pytest.raises(ConfigurationError, match="2 probabilities that sum to 1"):
        problem.build(
            Sampler,
            f"{{type: 'random-picking-container', probabilities: {probabilities}, "
            "constituents: ['random', 'inference-network']}",
        )


def test_the_best_of_all_samples_is_kept(problem):
    snippet = "{{type: '{}', constituents: [{{type: 'random', num_samples: 6}}, 'ground-truth']}}"
    best, everything = (
        problem.build(Sampler, snippet.format(name)) for name in ("best-of", "appending-container")
    )
    torch.manual_seed(3)
    kept = best.sample(problem.x, problem.truth, problem.mask).y
    torch.manual_seed(3)
    all_samples = everything.sample(problem.x, problem.truth, problem.mask).y
    score = problem.score_network
    assert kept.shape == (3, 1, 4) and all_samples.shape == (3, 7, 4)
    torch.testing.assert_close(
        score(problem.x, kept, problem.mask)[:, 0],
        score(problem.x, all_samples, problem.mask).amax(dim=1),
    )


def test_bad_settings_are_named(problem):
    with pytest.raises(ConfigurationError, match="'laplace'"):
        problem.build(Sampler, "{type: 'network-draws', kind: 'laplace'}")
    with pytest.raises(ConfigurationError, match="at least 1 sample"):
        problem.build(Sampler, "{type: 'random', num_samples: 0}")
    with pytest.raises(ConfigurationError, match="at least 1 sample of the sampler 'perturbed"):
        problem.build(Sampler, "{type: 'perturbed-truth', num_samples: 0}")


@pytest.mark.parametrize("space", ["binary", "categorical", "image"])
def test_the_truth_is_perturbed_at_rates_from_none_to_all(space):
    problem = make_test_problem(space=space, batch_size=2)
    sampler = problem.build(Sampler, "{type: 'perturbed-truth', num_samples: 20000}")
    torch.manual_seed(0)
    y = sampler.sample(problem.x, problem.truth).y
    assert y.shape == (2, 20000, *problem.truth.shape[2:])
    assert torch.equal(y, problem.output_space.nearest_corner(y))
    wrong = problem.output_space.distance(y, problem.truth)
    # A redrawn position is wrong with c = 1 − 1/K. With ρ ~ U(0, 1) for each sample of n positions
    # the share of wrong positions has the mean c/2 and the variance E[ρc (1 − ρc)] / n + Var[ρc].
    values = problem.truth.shape[-1] if space == "categorical" else 2
    n = problem.truth[0, 0].numel() // (values if space == "categorical" else 1)
    c = 1 - 1 / values
    assert wrong.mean().item() == pytest.approx(c / 2, abs=0.01)
    expected = (c / 2 - c**2 / 3) / n + c**2 / 12
    assert wrong.var().item() == pytest.approx(expected, rel=0.05)
