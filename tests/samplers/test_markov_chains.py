"""Samplers of energy models against exact enumeration and integration."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.output_spaces import BinaryOutputSpace, CategoricalOutputSpace
from structured_energy.samplers import (
    GibbsWithGradientsSampler,
    LangevinSampler,
    RandomSampler,
    Sampler,
)
from structured_energy.testing import PotentialsNetwork, make_test_problem

SPACE = BinaryOutputSpace()


class Coupled(PotentialsNetwork):
    """s(x, y) = ⟨x, y⟩ + yᵀ A y + (Σ y)³ / 10: neither linear nor quadratic."""

    def __init__(self, size):
        super().__init__(SPACE)
        torch.manual_seed(4)
        self.coupling = torch.nn.Parameter(torch.randn(size, size, dtype=torch.float64))

    def score(self, encoding, y, mask):
        pairs = torch.einsum("...i,ij,...j->...", y, self.coupling, y)
        return super().score(encoding, y, mask) + pairs + y.sum(-1) ** 3 / 10


def total_variation(empirical, exact):
    return (empirical - exact).abs().sum().item() / 2


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_gibbs_with_gradients_draws_from_the_softmax_of_the_scores(temperature):
    network = Coupled(4)
    x = torch.tensor([[0.5, -1.0, 0.3, -0.2], [-1.0, 0.0, 1.0, 0.5]], dtype=torch.float64)
    start = RandomSampler(SPACE, network, num_samples=4000)
    sampler = GibbsWithGradientsSampler(SPACE, network, 60, temperature, start)
    y = sampler.sample(x, None).y
    assert ((y == 0) | (y == 1)).all()
    numbers = (y.long() * torch.tensor([8, 4, 2, 1])).sum(-1)
    everything = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)
    exact = torch.softmax(network(x, everything.expand(2, 16, 4)) / temperature, dim=1)
    for i in range(2):
        empirical = torch.bincount(numbers[i], minlength=16) / 4000
        # The expected total variation of 4000 exact draws over 16 outputs is about 0.02.
        assert total_variation(empirical, exact[i]) < 0.04


def test_gibbs_with_gradients_draws_sequences_of_tags():
    problem = make_test_problem(space="categorical")
    mask = torch.tensor([[True, False, True, True]])  # the tags beside the hole are neighbours
    with torch.no_grad():
        for parameter in problem.score_network.parameters():
            parameter.normal_()
    start = "{type: 'random', num_samples: 4000}"
    config = f"{{type: 'gibbs-with-gradients', num_steps: 40, start: {start}}}"
    y = problem.build(Sampler, config).sample(problem.instance(0), None, mask).y[0]
    tags = torch.tensor(list(itertools.product(range(3), repeat=3)))
    everything = torch.zeros(1, 27, 4, 3, dtype=torch.float64)
    everything[0, :, mask[0]] = torch.nn.functional.one_hot(tags, 3).double()
    exact = problem.score_network(problem.instance(0), everything, mask)[0].softmax(0)
    numbers = (y.argmax(-1)[:, mask[0]] * torch.tensor([9, 3, 1])).sum(-1)
    empirical = torch.bincount(numbers, minlength=27) / 4000
    assert exact.max() < 0.9
    assert total_variation(empirical, exact) < 0.06


def test_langevin_draws_from_the_density_over_a_simplex():
    vocab = make_test_problem(space="categorical").vocab
    network = PotentialsNetwork(CategoricalOutputSpace(vocab))
    x = torch.tensor([[[2.0, -1.0, 0.5]]], dtype=torch.float64)
    torch.manual_seed(0)
    start = RandomSampler(network.output_space, network, num_samples=1500)
    sampler = LangevinSampler(
        network.output_space, network, 150, step_size=0.5, metropolis=True, start=start
    )
    y = sampler.sample(x, None).y[0, :, 0]
    uniform = torch.distributions.Dirichlet(torch.ones(3, dtype=torch.float64)).sample((50000,))
    weights = (uniform @ x[0, 0]).softmax(0)
    for power in (1, 2):
        torch.testing.assert_close((y**power).mean(0), weights @ uniform**power, rtol=0, atol=0.025)


def test_one_step_of_gibbs_keeps_the_distribution():
    # The acceptance rule ensures that exact draws stay exact after a step.
    torch.manual_seed(0)
    network = Coupled(3)
    x = torch.tensor([[1.0, -1.0, 0.5]], dtype=torch.float64)
    everything = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)
    exact = torch.softmax(network(x, everything.unsqueeze(0))[0], dim=0)
    draws = everything[torch.multinomial(exact, 40000, replacement=True)].unsqueeze(0)

    class Start(RandomSampler):
        def propose(self, x, truth, mask=None):
            return super().propose(x, truth, mask)._replace(y=draws)

    sampler = GibbsWithGradientsSampler(SPACE, network, 1, start=Start(SPACE, network))
    y = sampler.sample(x, None).y[0]
    empirical = torch.bincount((y.long() * torch.tensor([4, 2, 1])).sum(-1), minlength=8) / 40000
    assert total_variation(empirical, exact) < 0.012
    assert 0.1 < sampler.get("acceptance") < 1


def density_of_cells(network, x, temperature=1.0, cells=6, points=40):
    """exp(s / temperature) integrated over the cells of a grid of the square, normalised."""
    axis = (torch.arange(cells * points, dtype=torch.float64) + 0.5) / (cells * points)
    grid = torch.cartesian_prod(axis, axis)
    values = (
        (network(x, grid.unsqueeze(0))[0] / temperature).exp().view(cells, points, cells, points)
    )
    mass = values.sum(dim=(1, 3))
    return (mass / mass.sum()).detach()


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"num_steps": 1000, "step_size": 0.05}, 0.05),
        ({"num_steps": 100, "step_size": 0.8, "metropolis": True}, 0.05),
        ({"num_steps": 400, "step_size": 0.5, "decay": 0.5}, 0.05),
    ],
    ids=["small steps", "metropolis", "decay"],
)
def test_langevin_draws_from_the_density_of_the_scores(settings, tolerance):
    network = Coupled(2)
    x = torch.tensor([[2.0, -1.5]], dtype=torch.float64)
    start = RandomSampler(SPACE, network, num_samples=6000)
    y = LangevinSampler(SPACE, network, start=start, **settings).sample(x, None).y[0]
    exact = density_of_cells(network, x)
    cell = (y * 6).long().clamp(max=5)
    empirical = torch.bincount(cell[:, 0] * 6 + cell[:, 1], minlength=36).view(6, 6) / 6000
    # The expected total variation of 6000 exact draws over 36 cells is about 0.03.
    assert total_variation(empirical, exact) < tolerance
    uniform = torch.full((6, 6), 1 / 36)
    assert total_variation(uniform, exact) > 0.2  # the test can tell


def test_the_temperature_of_langevin_is_that_of_the_scores_only():
    network = Coupled(2)
    x = torch.tensor([[12.0, -9.0]], dtype=torch.float64)
    torch.manual_seed(0)
    start = RandomSampler(SPACE, network, num_samples=6000)
    chain = LangevinSampler(SPACE, network, 150, 0.5, temperature=4.0, metropolis=True, start=start)
    cell = (chain.sample(x, None).y[0] * 6).long().clamp(max=5)
    empirical = torch.bincount(cell[:, 0] * 6 + cell[:, 1], minlength=36).view(6, 6) / 6000
    # The expected total variation of 6000 exact draws over 36 cells is about 0.03.
    assert total_variation(empirical, density_of_cells(network, x, 4.0)) < 0.05
    assert total_variation(density_of_cells(network, x), density_of_cells(network, x, 4.0)) > 0.2


@pytest.mark.parametrize("start", [None, RandomSampler(SPACE, Coupled(4), num_samples=2)])
def test_the_first_step_of_langevin_leaves_a_corner(start):
    torch.manual_seed(0)
    x, truth = torch.zeros(50, 4, dtype=torch.float64), torch.ones(50, 1, 4, dtype=torch.float64)

    def change(**settings):
        chain = LangevinSampler(SPACE, Coupled(4), 1, truth_rate=1.0, start=start, **settings)
        y = chain.starts(x, truth, None, chain.smoothing)
        return (chain.sample(x, truth).y - y).abs().mean().item()

    assert change() > 0.01
    assert change(smoothing=0.0) < 1e-5


def test_langevin_resumes_from_its_buffer_without_smoothing():
    x, truth = torch.zeros(2, 3, dtype=torch.float64), torch.ones(2, 1, 3, dtype=torch.float64)
    chain = LangevinSampler(SPACE, Coupled(3), 1, buffer_size=2, reset_rate=0.0)
    stored = torch.tensor([[1e-9, 0.5, 1.0], [0.0, 1.0, 0.3]], dtype=torch.float64)
    chain.buffer.keep(stored.unsqueeze(1))
    starts = chain.starts(x, truth, None, chain.smoothing)[:, 0]
    assert all((start == stored).all(1).any() for start in starts)


def test_langevin_without_noise_climbs():
    network = Coupled(2)
    x = torch.tensor([[2.0, -1.5]], dtype=torch.float64)
    sampler = LangevinSampler(
        SPACE, network, 200, 0.1, noise=0, start=RandomSampler(SPACE, network, num_samples=5)
    )
    sampler.sample(x, None)
    trajectory = torch.as_tensor(sampler.get("trajectory"))
    assert len(trajectory) == 201 and trajectory[-1] > trajectory[0]
    first = sampler.sample(x, None).y
    assert first.shape == (1, 5, 2) and SPACE.contains(first)


@pytest.mark.parametrize("sampler", [LangevinSampler, GibbsWithGradientsSampler])
def test_the_truth_starts_only_in_training(sampler):
    network = Coupled(3)
    x = torch.zeros(1, 3, dtype=torch.float64)
    truth = torch.ones(1, 1, 3, dtype=torch.float64)
    chain = sampler(SPACE, network, 1, truth_rate=1.0)
    torch.testing.assert_close(chain.starts(x, truth, None), truth)
    torch.testing.assert_close(chain.starts(x, None, None), 0 * truth)


def test_a_buffer_keeps_the_latest_samples_only_in_training():
    network = Coupled(3)
    x, truth = torch.zeros(2, 3, dtype=torch.float64), torch.ones(2, 1, 3, dtype=torch.float64)
    start = RandomSampler(SPACE, network, num_samples=2)
    chain = GibbsWithGradientsSampler(SPACE, network, 5, start=start, buffer_size=6, reset_rate=0.0)
    chain.eval().sample(x, truth)
    chain.train().sample(x, None)
    assert chain.buffer.samples is None
    first, second = (chain.sample(x, truth).y.flatten(0, 1) for _ in range(2))
    torch.testing.assert_close(chain.buffer.samples, torch.cat([first, second])[-6:])
    other = GibbsWithGradientsSampler(SPACE, network, 5, buffer_size=6, reset_rate=0.0)
    other.load_state_dict(chain.state_dict())
    torch.testing.assert_close(other.buffer.samples, chain.buffer.samples)
    resumed = other.starts(x, truth, None).flatten(0, 1)
    assert all((row == chain.buffer.samples).all(1).any() for row in resumed)
    assert (other.starts(x, None, None) == 0).all()
    other.buffer.reset_rate = 1.0
    assert (other.starts(x, truth, None) == 0).all()
    with pytest.raises(ValueError, match="buffer_size: 0"):
        wider = torch.zeros(2, 4, dtype=torch.float64)
        other.starts(wider, torch.ones(2, 1, 4, dtype=torch.float64), None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step_size": 0.0}, "positive step_size"),
        ({"metropolis": True, "noise": 0.5}, "noise 1 with metropolis"),
        ({"num_steps": 0}, "at least 1 step"),
        ({"reset_rate": 2.0}, "reset_rate in"),
        ({"smoothing": -0.1}, "smoothing in"),
    ],
)
def test_bad_settings_of_langevin_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        LangevinSampler(SPACE, Coupled(2), **settings)


def test_bad_settings_of_gibbs_are_named():
    with pytest.raises(ConfigurationError, match="positive temperature"):
        GibbsWithGradientsSampler(SPACE, Coupled(2), temperature=0)
