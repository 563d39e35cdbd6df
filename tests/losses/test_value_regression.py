"""Value regression against its formulas, and a value network that learns the oracle value."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import ValueLoss, ValueRegressionLoss
from structured_energy.oracle_values import OracleValue, PerInstanceF1
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


def test_the_objective_is_checked():
    with pytest.raises(ConfigurationError, match="'hinge'"):
        ValueRegressionLoss(Linear(), ORACLE, "hinge")


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
