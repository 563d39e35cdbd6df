"""Noise-contrastive losses: the formulas by hand, and a known distribution recovered."""

import itertools
import math

import pytest
import torch

from structured_energy.losses import BinaryNoiseContrastiveLoss, RankingNoiseContrastiveLoss
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput

SPACE = BinaryOutputSpace()
LOSSES = [RankingNoiseContrastiveLoss, BinaryNoiseContrastiveLoss]
OUTPUTS = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)


class Table(torch.nn.Module):
    """A separate score for each of the eight outputs of three bits."""

    def __init__(self):
        super().__init__()
        self.scores = torch.nn.Parameter(torch.zeros(8, dtype=torch.float64))

    def forward(self, x, y, mask=None):
        return self.scores[(y @ torch.tensor([4.0, 2.0, 1.0], dtype=y.dtype)).long()]


def draw(logits, count):
    expanded = logits.unsqueeze(1).expand(-1, count, -1)
    y = SPACE.sample(logits, count)
    return SamplerOutput(y, expanded, log_prob=SPACE.log_prob(expanded, y))


@pytest.mark.parametrize("correct", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_formula(loss, correct):
    torch.manual_seed(0)
    network = Table()
    torch.nn.init.normal_(network.scores)
    logits = torch.randn(5, 3, dtype=torch.float64)
    truth = (torch.rand(5, 1, 3) < 0.5).double()
    sample = draw(logits, 4)
    values = loss(network, SPACE, correct, reduction="none")(None, truth, sample)
    for i in range(5):
        everything = torch.cat([truth[i], sample.y[i]])
        q = (torch.sigmoid(logits[i]) * everything) + torch.sigmoid(-logits[i]) * (1 - everything)
        f = network(None, everything).detach() - (q.log().sum(-1) if correct else 0)
        if loss is RankingNoiseContrastiveLoss:
            expected = -math.log(math.exp(f[0]) / sum(math.exp(value) for value in f))
        else:
            real = [1 / (1 + 4 * math.exp(-value)) for value in f]
            expected = -math.log(real[0]) - sum(math.log(1 - value) for value in real[1:])
        assert values[i].item() == pytest.approx(expected)


def train(loss, network, truth_distribution, logits):
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    for _ in range(300):
        truth = OUTPUTS[torch.multinomial(truth_distribution, 2000, replacement=True)].unsqueeze(1)
        optimizer.zero_grad()
        loss(None, truth, draw(logits.expand(2000, 3), 8)).backward()
        optimizer.step()
        schedule.step()
    return network.scores.detach()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_known_distribution_is_recovered(loss):
    torch.manual_seed(1)
    known = torch.softmax(torch.randn(8, dtype=torch.float64), 0)
    logits = torch.tensor([0.8, -0.5, 0.1], dtype=torch.float64)
    network = Table()
    scores = train(loss(network, SPACE), network, known, logits)
    assert (torch.softmax(scores, 0) - known).abs().sum() / 2 < 0.01
    if loss is BinaryNoiseContrastiveLoss:  # it knows the normaliser as well
        assert scores.logsumexp(0).item() == pytest.approx(0, abs=0.03)


def test_without_the_correction_the_proposal_is_divided_out():
    torch.manual_seed(2)
    known = torch.softmax(torch.randn(8, dtype=torch.float64), 0)
    logits = torch.tensor([0.8, -0.5, 0.1], dtype=torch.float64)
    network = Table()
    scores = train(RankingNoiseContrastiveLoss(network, SPACE, False), network, known, logits)
    proposal = SPACE.log_prob(logits.view(1, 1, 3), OUTPUTS.unsqueeze(0))[0]
    expected = torch.softmax(known.log() - proposal, 0)
    assert (torch.softmax(scores, 0) - expected).abs().sum() / 2 < 0.01


def test_a_sampler_without_probabilities_is_named():
    y = OUTPUTS.view(1, 8, 3)
    with pytest.raises(ValueError, match="'network-draws'"):
        RankingNoiseContrastiveLoss(Table(), SPACE)(None, y[:, :1], SamplerOutput(y))
