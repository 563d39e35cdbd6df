"""The loss of critical examples against its formula, written out by hand."""

import itertools

import pytest
import torch

from structured_energy.losses import CriticalExamplesLoss, CrossEntropyLoss, ScoreLoss
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput

SPACE = BinaryOutputSpace()
ORACLE = PerInstanceF1(SPACE)


class Weighted(torch.nn.Module):
    """s(x, y) = scale · Σ x·y."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x, y, mask=None):
        return self.scale * (x.unsqueeze(1) * y).sum(-1)


@pytest.fixture()
def batch():
    torch.manual_seed(1)
    x = torch.randn(40, 4, dtype=torch.float64)
    truth = (torch.rand(40, 1, 4) < 0.5).double()
    y = torch.rand(40, 3, 4, dtype=torch.float64)
    return x, truth, SamplerOutput(y.requires_grad_(), torch.logit(y.detach())[:, :1])


def critical(x, truth, y, weight, margin):
    """Return whether each proposal is critical, one by one."""
    result = torch.zeros(y.shape[:2], dtype=torch.bool)
    for i, j in itertools.product(range(len(y)), range(y.shape[1])):
        shared, mass = (truth[i, 0] * y[i, j]).sum(), (truth[i, 0] + y[i, j]).sum()
        cost = float(1 - 2 * shared / mass)
        gap = float((x[i] * truth[i, 0]).sum() - (x[i] * y[i, j]).sum())
        result[i, j] = gap < max(weight * cost, margin)
    return result


@pytest.mark.parametrize("weight", [0.0, 1.5])
@pytest.mark.parametrize("margin", [0.0, 0.8])
def test_only_proposals_that_violate_the_margin_count(batch, weight, margin):
    x, truth, sample = batch
    network = Weighted()
    loss = CriticalExamplesLoss(ScoreLoss(network, "none"), network, ORACLE, weight, margin)
    counts = critical(x, truth, sample.y.detach(), weight, margin)
    assert 0.1 < counts.double().mean() < 0.9
    values = loss(x, truth, sample)
    torch.testing.assert_close(values, torch.where(counts, -network(x, sample.y), 0.0))
    assert loss.get("critical") == pytest.approx(counts.double().mean().item())
    (gradient,) = torch.autograd.grad(values.sum(), sample.y)
    torch.testing.assert_close(gradient, torch.where(counts.unsqueeze(2), -x.unsqueeze(1), 0.0))


def test_the_mean_is_over_all_proposals(batch):
    x, truth, sample = batch
    network = Weighted()
    loss = CriticalExamplesLoss(ScoreLoss(network), network, ORACLE)
    counts = critical(x, truth, sample.y.detach(), 1.0, 0.0)
    expected = -(network(x, sample.y) * counts).sum() / counts.numel()
    torch.testing.assert_close(loss(x, truth, sample), expected)


def test_a_loss_of_instances_counts_where_any_proposal_is_critical(batch):
    x, truth, sample = batch
    network = Weighted()
    loss = CriticalExamplesLoss(CrossEntropyLoss(SPACE, reduction="none"), network, ORACLE)
    counts = critical(x, truth, sample.y.detach(), 1.0, 0.0).any(1, keepdim=True)
    assert 0 < counts.sum() < len(counts)
    expected = CrossEntropyLoss(SPACE, reduction="none")(x, truth, sample)
    torch.testing.assert_close(loss(x, truth, sample), torch.where(counts, expected, 0.0))


def test_without_a_margin_the_truth_never_counts(batch):
    x, truth, _ = batch
    network = Weighted()
    for margin, expected in ((0.0, 0.0), (0.1, 1.0)):
        loss = CriticalExamplesLoss(
            ScoreLoss(network), network, ORACLE, margin=margin, oracle_cost_weight=5.0
        )
        loss(x, truth, SamplerOutput(truth))
        assert loss.get("critical") == expected
