"""Losses that estimate the likelihood, against its enumeration."""

import itertools

import pytest
import torch

from structured_energy.losses import (
    ContrastiveDivergenceLoss,
    MarginBasedLoss,
    PseudoLikelihoodLoss,
)
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import (
    GibbsWithGradientsSampler,
    LangevinSampler,
    RandomSampler,
)
from structured_energy.testing import PotentialsNetwork

SPACE = BinaryOutputSpace()
OUTPUTS = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)


class Boltzmann(PotentialsNetwork):
    """s(x, y) = ⟨x, y⟩ + yᵀ A y."""

    def __init__(self):
        super().__init__(SPACE)
        self.coupling = torch.nn.Parameter(torch.randn(4, 4, dtype=torch.float64))

    def score(self, encoding, y, mask):
        pairs = torch.einsum("...i,ij,...j->...", y, self.coupling, y)
        return super().score(encoding, y, mask) + pairs


@pytest.fixture()
def network():
    torch.manual_seed(0)
    return Boltzmann()


@pytest.fixture()
def x():
    torch.manual_seed(1)
    return torch.randn(3, 4, dtype=torch.float64)


def test_pseudo_likelihood_is_the_product_of_the_conditionals(network, x):
    truth = OUTPUTS[[3, 8, 13]].unsqueeze(1)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]], dtype=torch.bool)
    joint = torch.softmax(network(x, OUTPUTS.expand(3, 16, 4)), dim=1)
    loss = PseudoLikelihoodLoss(network, SPACE, reduction="none")
    for given in (None, mask):
        values = loss(x, truth, SamplerOutput(truth), None)
        if given is not None:
            # Values in the padding do not change the score, as in a score network.
            values = loss(x, truth * mask.unsqueeze(1), SamplerOutput(truth), None)
        for i in range(3):
            y = truth[i, 0] * (1 if given is None else mask[i])
            expected = 0
            for position in range(4):
                rest = torch.arange(4) != position
                same = (OUTPUTS[:, rest] == y[rest]).all(1)
                here = (y == OUTPUTS).all(1)
                expected -= (joint[i][here].sum() / joint[i][same].sum()).log()
            assert values[i, 0].item() == pytest.approx(expected.item())


def test_pseudo_likelihood_leaves_padding_out(network, x):
    truth = OUTPUTS[[3, 8, 13]].unsqueeze(1)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 0]], dtype=torch.bool)

    class Local(Boltzmann):
        def score(self, encoding, y, mask):
            return PotentialsNetwork.score(self, encoding, y, mask)

    values = PseudoLikelihoodLoss(Local(), SPACE, reduction="none")(
        x, truth, SamplerOutput(truth), mask
    )
    log_prob = SPACE.log_prob(x.unsqueeze(1), truth, mask)  # a local score is its own conditional
    torch.testing.assert_close(values, -log_prob)


@pytest.mark.parametrize("persistent", [False, True])
def test_contrastive_divergence_learns_a_known_distribution(network, persistent):
    torch.manual_seed(2)
    known = Boltzmann()
    x = torch.zeros(500, 4, dtype=torch.float64)
    exact = torch.softmax(known(x[:1], OUTPUTS.unsqueeze(0))[0], 0).detach()
    if persistent:
        settings = {"num_steps": 2, "buffer_size": 500, "reset_rate": 0.0}
    else:
        settings = {"num_steps": 12, "truth_rate": 1.0}
    chain = GibbsWithGradientsSampler(
        SPACE, network, start=RandomSampler(SPACE, network), **settings
    )
    loss = ContrastiveDivergenceLoss(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    for _ in range(400):
        truth = OUTPUTS[torch.multinomial(exact, 500, replacement=True)].unsqueeze(1)
        optimizer.zero_grad()
        loss(x, truth, chain.sample(x, truth)).backward()
        optimizer.step()
        schedule.step()
    learnt = torch.softmax(network(x[:1], OUTPUTS.unsqueeze(0))[0], 0).detach()
    assert (learnt - exact).abs().sum() / 2 < 0.04


class Biases(PotentialsNetwork):
    """s(x, y) = ⟨b, y⟩ for any x."""

    def __init__(self):
        super().__init__(SPACE)
        self.bias = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))

    def encode(self, x, mask):
        return (self.bias.expand(len(x), 4),)


def test_contrastive_divergence_learns_the_same_with_langevin_and_gibbs():
    rates = torch.tensor([0.2, 0.4, 0.65, 0.85], dtype=torch.float64)
    x = torch.zeros(300, 4, dtype=torch.float64)

    def learnt(sampler, lr, **settings):
        torch.manual_seed(0)
        network = Biases()
        chain = sampler(SPACE, network, truth_rate=1.0, **settings)
        loss = ContrastiveDivergenceLoss(network)
        # Steps in proportion to the gradient: a gradient near zero hardly changes the biases.
        optimizer = torch.optim.SGD(network.parameters(), lr)
        for _ in range(150):
            truth = (torch.rand(300, 1, 4, dtype=torch.float64) < rates).double()
            optimizer.zero_grad()
            loss(x, truth, chain.sample(x, truth)).backward()
            optimizer.step()
        return network.bias.detach()

    discrete = learnt(GibbsWithGradientsSampler, 1.0)
    torch.testing.assert_close(discrete.sigmoid(), rates, atol=0.05, rtol=0)
    for settings in ({}, {"step_size": 0.5}):
        relaxed = learnt(LangevinSampler, 5.0, **settings)
        scores, others = (OUTPUTS @ biases for biases in (relaxed, discrete))
        assert scores.argmax() == others.argmax()
        assert relaxed.argsort().equal(discrete.argsort())
        assert relaxed.abs().min() > 1
    # The mean of y under the density exp(b y) over [0, 1], of the chain that comes closer to it.
    means = 1 / (1 - torch.exp(-relaxed)) - 1 / relaxed
    torch.testing.assert_close(means, rates, atol=0.05, rtol=0)


def test_with_exact_samples_the_gradient_is_that_of_the_likelihood(network, x):
    truth = OUTPUTS[[3, 8, 13]].unsqueeze(1)
    p = torch.softmax(network(x, OUTPUTS.expand(3, 16, 4)), dim=1)
    values = ContrastiveDivergenceLoss(network, reduction="none")(
        x, truth, SamplerOutput(OUTPUTS.expand(3, 16, 4))
    )
    gradient = torch.autograd.grad((values * p.detach()).sum(), network.coupling)[0]
    here = (OUTPUTS.unsqueeze(0) == truth).all(2)
    exact = torch.autograd.grad(-p[here].log().sum(), network.coupling)[0]
    torch.testing.assert_close(gradient, exact)


def test_only_the_most_violated_sample_counts(network, x):
    truth = OUTPUTS[[3, 8, 13]].unsqueeze(1)
    sample = SamplerOutput(torch.rand(3, 6, 4, dtype=torch.float64))
    oracle = PerInstanceF1(SPACE)
    every = MarginBasedLoss(network, oracle, reduction="none")(x, truth, sample)
    worst = MarginBasedLoss(network, oracle, most_violated=True, reduction="none")
    torch.testing.assert_close(worst(x, truth, sample)[:, 0], every.max(dim=1).values)
