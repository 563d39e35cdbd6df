"""Value regression against its formulas, and a value network that learns the oracle value."""

import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import ValueLoss, ValueRegressionLoss
from structured_energy.oracle_values import OracleValue, PerInstanceF1, PerInstanceLogSumExpF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput

ORACLE = PerInstanceF1(BinaryOutputSpace())
FORMULAS = {
    "cross-entropy": lambda s, v: -v * s.sigmoid().log() - (1 - v) * (1 - s.sigmoid()).log(),
    "squared-error": lambda s, v: (s.sigmoid() - v) ** 2,
    "squared-error-of-score": lambda s, v: (s - v) ** 2,
}


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([0.7, -1.2, 0.4], dtype=torch.float64))
        self.bias = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x, y, mask=None):
        return y @ self.weight + self.bias


@pytest.fixture()
def batch():
    torch.manual_seed(0)
    truth = torch.tensor([[1, 0, 1], [0, 1, 0]], dtype=torch.float64).unsqueeze(1)
    return truth, SamplerOutput(torch.rand(2, 5, 3, dtype=torch.float64))


@pytest.mark.parametrize("objective", FORMULAS)
def test_value_regression(batch, objective):
    truth, sample = batch
    network = Linear()
    loss = ValueRegressionLoss(network, ORACLE, objective, reduction="none")
    shared = (truth * sample.y).sum(-1)
    value = 2 * shared / (truth.sum(-1) + sample.y.sum(-1))
    expected = FORMULAS[objective](network(None, sample.y), value)
    torch.testing.assert_close(loss(None, truth, sample), expected)
    logged = loss.get_all()
    assert logged["oracle_value"] == pytest.approx(value.mean().item())


@pytest.mark.parametrize("objective", FORMULAS)
def test_a_value_network_approaches_the_oracle_value(objective):
    # With the truth (1, 0) and discrete outputs, F1 is 0, 2/3, 0, 1 of 00, 11, 01, 10.
    outputs = torch.tensor([[[0, 0], [1, 1], [0, 1], [1, 0]]], dtype=torch.float64)
    truth = torch.tensor([[[1, 0]]], dtype=torch.float64)

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = torch.nn.Parameter(torch.zeros(1, 4, dtype=torch.float64))

        def forward(self, x, y, mask=None):
            return self.scores

    network = Table()
    loss = ValueRegressionLoss(network, ORACLE, objective)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.3)
    for _ in range(400):
        optimizer.zero_grad()
        loss(None, truth, SamplerOutput(outputs)).backward()
        optimizer.step()
    scores = network.scores[0].detach()
    learnt = scores if objective == "squared-error-of-score" else scores.sigmoid()
    torch.testing.assert_close(
        learnt, torch.tensor([0, 2 / 3, 0, 1], dtype=torch.float64), atol=0.01, rtol=0
    )


def test_value_is_minus_log_of_the_value(batch):
    truth, sample = batch
    network = Linear()
    values = ValueLoss(network, reduction="none")(None, truth, sample)
    torch.testing.assert_close(values, -network(None, sample.y).sigmoid().log())


def test_the_objective_of_the_task_network_may_be_minus_the_value(batch):
    truth, sample = batch
    network, y = Linear(), sample.y.requires_grad_()
    values = ValueLoss(network, objective="value", reduction="none")(None, truth, sample)
    value = network(None, y).sigmoid()
    torch.testing.assert_close(values, -value)
    # The derivative of −σ(s) in s is −σ(s) (1 − σ(s)), that of −log σ(s) is σ(s) − 1.
    (gradient,) = torch.autograd.grad(values.sum(), y, retain_graph=True)
    slope = (value * (1 - value)).unsqueeze(2)
    torch.testing.assert_close(gradient, (-slope * network.weight).detach())
    (gradient,) = torch.autograd.grad(ValueLoss(network, reduction="sum")(None, truth, sample), y)
    torch.testing.assert_close(gradient, ((value - 1).unsqueeze(2) * network.weight).detach())


def f1(truth, y):
    return 2 * (truth * y).sum(-1) / (truth.sum(-1) + y.sum(-1))


@pytest.mark.parametrize("objective", FORMULAS)
@pytest.mark.parametrize("include_truth", [False, True])
def test_value_regression_on_cost_augmented_outputs_and_the_truth(batch, objective, include_truth):
    truth, sample = batch
    augmented = torch.rand_like(sample.y)
    network = Linear()
    loss = ValueRegressionLoss(network, ORACLE, objective, include_truth, reduction="none")
    expected = sum(
        FORMULAS[objective](network(None, y), f1(truth, y))
        for y in (sample.y, augmented, *([truth] if include_truth else []))
    )
    torch.testing.assert_close(
        loss(None, truth, sample._replace(cost_augmented=augmented)), expected
    )


@pytest.mark.parametrize("weight", [0.0, 1.7])
@pytest.mark.parametrize("objective", ["log-value", "value"])
def test_value_of_cost_augmented_outputs(batch, objective, weight):
    truth, sample = batch
    augmented = torch.rand_like(sample.y)
    network = Linear()
    loss = ValueLoss(network, ORACLE, objective, weight, reduction="none")
    values = [network(None, y).sigmoid() for y in (sample.y, augmented)]
    parts = [-(value.log() if objective == "log-value" else value) for value in values]
    expected = parts[0] + parts[1] - weight * (1 - f1(truth, augmented))
    torch.testing.assert_close(
        loss(None, truth, sample._replace(cost_augmented=augmented)), expected
    )
    torch.testing.assert_close(loss(None, truth, sample), parts[0])


def test_the_objective_is_checked():
    with pytest.raises(ConfigurationError, match="'hinge'"):
        ValueRegressionLoss(Linear(), ORACLE, "hinge")
    with pytest.raises(ConfigurationError, match="'log_value'"):
        ValueLoss(Linear(), objective="log_value")
    with pytest.raises(ConfigurationError, match="oracle_cost_weight 2"):
        ValueLoss(Linear(), oracle_cost_weight=2.0)


@pytest.mark.parametrize("temperature", [1e-4, 0.05, 0.7])
def test_the_smooth_f1_is_that_of_a_smooth_minimum(temperature):
    torch.manual_seed(0)
    truth = (torch.rand(4, 1, 6, dtype=torch.float64) < 0.5).double()
    y = torch.rand(4, 3, 6, dtype=torch.float64)
    value = PerInstanceLogSumExpF1(BinaryOutputSpace(), temperature).value(truth, y)
    both = -torch.stack([truth.expand_as(y), y]) / temperature
    minimum = -temperature * (both.logsumexp(0) - math.log(2))
    mass = truth.sum(-1) + y.sum(-1)
    torch.testing.assert_close(value, 2 * minimum.sum(-1) / mass)
    # Without the division by 2, as published, each of the 6 labels lowers it by 2 τ log 2 / mass.
    published = 2 * (-temperature * both.logsumexp(0)).sum(-1) / mass
    constant = 12 * temperature * math.log(2) / mass
    torch.testing.assert_close(value, published + constant)


def test_at_low_temperature_the_smooth_f1_is_f1_and_at_any_the_truth_is_its_maximum():
    torch.manual_seed(0)
    truth = (torch.rand(4, 1, 6, dtype=torch.float64) < 0.5).double()
    y = torch.rand(4, 3, 6, dtype=torch.float64, requires_grad=True)
    cold, warm = (PerInstanceLogSumExpF1(BinaryOutputSpace(), t) for t in (1e-9, 0.3))
    torch.testing.assert_close(cold.value(truth, y), ORACLE.value(truth, y), atol=1e-7, rtol=0)
    gradients = [torch.autograd.grad(each.value(truth, y).sum(), y)[0] for each in (cold, ORACLE)]
    torch.testing.assert_close(*gradients, atol=1e-7, rtol=0)
    assert (warm.value(truth, y) < 1).all() and (warm.value(truth, y) > 0).all()
    at_truth = truth.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(warm.value(truth, at_truth).sum(), at_truth)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


def test_the_temperature_is_checked():
    with pytest.raises(ConfigurationError, match="above 0 .*got 0"):
        PerInstanceLogSumExpF1(BinaryOutputSpace(), 0.0)


@pytest.mark.parametrize("name", ["per-instance-f1", "iou"])
def test_an_empty_prediction_of_an_empty_truth_has_the_full_value(name):
    oracle_value = OracleValue.by_name(name)(BinaryOutputSpace())
    truth = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]]])
    y = torch.zeros(2, 1, 2, requires_grad=True)
    value = oracle_value.value(truth, y)
    assert value.tolist() == [[1.0], [0.0]]
    (gradient,) = torch.autograd.grad(value.sum(), y)
    # Any mass lowers the first value; the second is 2y / (1 + y) or y, with y at the true label.
    slope = 2.0 if name == "per-instance-f1" else 1.0
    assert gradient.tolist() == [[[-1.0, -1.0]], [[slope, 0.0]]]
