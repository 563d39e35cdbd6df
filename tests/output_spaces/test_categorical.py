"""The categorical output space, against enumeration, scipy, and chains over it."""

import itertools

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, stats

from structured_energy.output_spaces import BinaryOutputSpace, CategoricalOutputSpace
from structured_energy.samplers import (
    GibbsWithGradientsSampler,
    LangevinSampler,
    RandomSampler,
)
from structured_energy.testing import PotentialsNetwork


def space_of(size):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for number in range(size):
        vocab.add_token_to_namespace(f"tag_{number}", "labels")
    return CategoricalOutputSpace(vocab)


SPACE = space_of(3)


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


@given(arrays(np.float64, 4, elements=st.floats(-5, 5)))
def test_the_projection_is_the_nearest_point_of_the_simplex(point):
    # The condition of optimality: y is nearest iff ⟨point − y, e_k − y⟩ ≤ 0 for every corner e_k.
    y = space_of(4).project(torch.tensor(point)).numpy()
    assert y.min() >= 0 and y.sum() == pytest.approx(1)
    assert ((point - y) @ (np.eye(4) - y).T).max() <= 1e-9


def test_the_projection_is_what_scipy_finds():
    point = np.array([0.9, 0.4, -0.2, 0.7])
    solution = optimize.minimize(
        lambda y: ((y - point) ** 2).sum(),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda y: y.sum() - 1},
        tol=1e-12,
    )
    np.testing.assert_allclose(space_of(4).project(torch.tensor(point)), solution.x, atol=1e-6)


def test_probabilities_of_all_sequences_sum_to_one():
    logits = 3 * torch.randn(2, 1, 4, 3)
    labels = torch.tensor(list(itertools.product(range(3), repeat=4)))
    y = SPACE.encode(labels)[:, 0].expand(2, -1, -1, -1)
    torch.testing.assert_close(SPACE.log_prob(logits, y).exp().sum(1), torch.ones(2))
    # Of three tokens, where the last one is padding: each sequence of them is there three times.
    mask = torch.tensor([[True, True, True, False]] * 2)
    torch.testing.assert_close(SPACE.log_prob(logits, y, mask).exp().sum(1), torch.full((2,), 3.0))


def test_random_outputs_are_uniform_on_the_simplex():
    y = SPACE.random(torch.empty(1, 5000, 1, 3))[0, :, 0]
    for value in range(3):  # every coordinate of a uniform point is Beta(1, K − 1)
        assert stats.kstest(y[:, value].numpy(), stats.beta(1, 2).cdf).pvalue > 1e-3


def test_relaxed_draws_come_to_the_discrete_ones_as_the_temperature_falls():
    logits = torch.tensor([[[0.5, -1.0, 0.2]]])
    expected = torch.tensor([0.5, -1.0, 0.2]).exp()
    expected = expected / expected.sum()
    draws = SPACE.sample(logits, 20000, temperature=0.01)[0, :, 0]
    torch.testing.assert_close(draws.mean(0), expected, atol=0.015, rtol=0)
    assert (draws.amax(-1) > 0.99).double().mean() > 0.9
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(SPACE.sample(logits, 3, 1.0)[..., 0].sum(), logits)
    assert gradient.abs().sum() > 0


class Coupled(PotentialsNetwork):
    """s(x, y) = ⟨x, y⟩ + Σ_t y_tᵀ A y_{t+1}, and a term of the third order."""

    def __init__(self):
        super().__init__(SPACE)
        torch.manual_seed(4)
        self.coupling = torch.nn.Parameter(torch.randn(3, 3))

    def score(self, encoding, y, mask):
        pairs = torch.einsum("bnti,ij,bntj->bn", y[:, :, :-1], self.coupling, y[:, :, 1:])
        return super().score(encoding, y, mask) + pairs + y[..., 0].sum(2) ** 3 / 5


def test_gibbs_with_gradients_draws_from_the_softmax_of_the_scores():
    network = Coupled()
    x = torch.randn(2, 3, 3)
    start = RandomSampler(SPACE, network, num_samples=5000)
    y = GibbsWithGradientsSampler(SPACE, network, 60, start=start).sample(x, None).y
    assert SPACE.contains(y) and ((y == 0) | (y == 1)).all()
    labels = torch.tensor(list(itertools.product(range(3), repeat=3)))
    everything = SPACE.encode(labels)[:, 0].expand(2, -1, -1, -1)
    exact = torch.softmax(network(x, everything), dim=1)
    numbers = (y.argmax(-1) * torch.tensor([9, 3, 1])).sum(-1)
    for i in range(2):
        empirical = torch.bincount(numbers[i], minlength=27) / 5000
        # The expected total variation of 5000 exact draws over 27 outputs is about 0.03.
        assert (empirical - exact[i]).abs().sum() / 2 < 0.05


def test_langevin_draws_from_the_density_of_the_scores():
    # One token with the linear score 2 y_1: the density over the simplex is known up to a constant.
    x = torch.tensor([[[2.0, 0.0, 0.0]]])
    network = PotentialsNetwork(SPACE)
    start = RandomSampler(SPACE, network, num_samples=5000)
    chain = LangevinSampler(SPACE, network, 60, 0.5, metropolis=True, start=start)
    y = chain.sample(x, None).y[0, :, 0]
    # The first coordinate has the density (1 − u) exp(2 u); its distribution function is
    # F(u) ∝ ∫_0^u (1 − v) exp(2 v) dv = [(3 − 2 v) exp(2 v) / 4]_0^u.
    total = np.exp(2) / 4 - 0.75

    def cdf(u):
        return ((3 - 2 * u) * np.exp(2 * u) / 4 - 0.75) / total

    assert stats.kstest(y[:, 0].numpy(), cdf).statistic < 0.03
    assert stats.kstest(y[:, 0].numpy(), stats.beta(1, 2).cdf).statistic > 0.1  # it can tell


def test_too_few_values_are_named():
    with pytest.raises(ConfigurationError, match="at least 2 values .* got 1"):
        space_of(1)


@pytest.mark.parametrize("masked", [False, True])
def test_the_mass_of_labels_is_a_plain_count(masked):
    vocab = Vocabulary()
    vocab.add_tokens_to_namespace(["a", "b", "c"], "labels")
    torch.manual_seed(0)
    tags, mask = torch.randint(3, (4, 5)), torch.rand(4, 5) < 0.6
    expected = [0.0] * 3
    for row, real in zip(tags.tolist(), mask.tolist(), strict=True):
        for tag, is_real in zip(row, real, strict=True):
            expected[tag] += float(is_real or not masked)
    space = CategoricalOutputSpace(vocab)
    mass = space.label_mass(space.encode(tags), mask if masked else None)
    assert mass.tolist() == expected


@pytest.mark.parametrize("masked", [False, True])
def test_the_mass_of_sets_of_labels_is_a_plain_count(masked):
    torch.manual_seed(0)
    labels, mask = torch.rand(4, 5) < 0.5, torch.rand(4, 5) < 0.6
    known = mask if masked else torch.ones_like(mask)
    rows = zip(labels.tolist(), known.tolist(), strict=True)
    pairs = [[float(a and b) for a, b in zip(row, real, strict=True)] for row, real in rows]
    space = BinaryOutputSpace()
    mass = space.label_mass(space.encode(labels), mask if masked else None)
    assert mass.tolist() == [sum(column) for column in zip(*pairs, strict=True)]
    assert space.label_mass(torch.zeros(4, 1, 5, 5)) is None


def test_the_corner_of_a_binary_output_is_the_nearest():
    y = torch.tensor([[[0.2, 0.5, 0.7]]])
    assert BinaryOutputSpace().nearest_corner(y).tolist() == [[[0.0, 0.0, 1.0]]]
