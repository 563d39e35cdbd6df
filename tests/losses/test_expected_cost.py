"""Losses over draws against the enumeration of all outputs."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import MinimumRiskLoss, OracleCostLoss, PolicyGradientLoss
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput

SPACE = BinaryOutputSpace()
ORACLE = PerInstanceF1(SPACE)
OUTPUTS = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64)


@pytest.fixture()
def logits():
    torch.manual_seed(0)
    return torch.randn(3, 4, dtype=torch.float64, requires_grad=True)


@pytest.fixture()
def truth():
    return torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 0]], dtype=torch.float64)[:, None]


def all_outputs(logits):
    return SamplerOutput(OUTPUTS.expand(3, 16, 4), logits.unsqueeze(1).expand(3, 16, 4))


def f1(truth, y):
    return 2 * (truth * y).sum() / (truth.sum() + y.sum())


def expected_costs(truth, logits, sharpness=1.0):
    """Return E[1 − F1] under p(y | x)^sharpness, renormalised, one output at a time."""
    costs = []
    for t, z in zip(truth[:, 0], logits, strict=True):
        p = torch.stack([torch.where(y > 0, z.sigmoid(), (-z).sigmoid()).prod() for y in OUTPUTS])
        p = p**sharpness / (p**sharpness).sum()
        costs.append(sum(p_y * (1 - f1(t, y)) for p_y, y in zip(p, OUTPUTS, strict=True)))
    return torch.stack(costs)


@pytest.mark.parametrize("sharpness", [1.0, 0.3])
def test_minimum_risk_over_all_outputs_is_the_expected_cost(logits, truth, sharpness):
    loss = MinimumRiskLoss(SPACE, ORACLE, sharpness, reduction="none")
    exact = expected_costs(truth, logits, sharpness)
    value = loss(None, truth, all_outputs(logits))[:, 0]
    torch.testing.assert_close(value, exact)
    of_value, of_exact = (torch.autograd.grad(v.sum(), logits)[0] for v in (value, exact))
    torch.testing.assert_close(of_value, of_exact)


def test_a_draw_that_comes_twice_counts_once(logits, truth):
    once = all_outputs(logits)
    repeated = SamplerOutput(*(torch.cat([part, part[:, 3:8]], dim=1) for part in once[:2]))
    loss = MinimumRiskLoss(SPACE, ORACLE)
    torch.testing.assert_close(loss(None, truth, repeated), loss(None, truth, once))


def test_a_draw_that_comes_twice_in_a_row_counts_once(logits, truth):
    def risk(indices):
        sample = SamplerOutput(
            OUTPUTS[None, indices].expand(3, -1, 4),
            logits.unsqueeze(1).expand(3, len(indices), 4),
        )
        return MinimumRiskLoss(SPACE, ORACLE, reduction="none")(None, truth, sample)

    for repeated in ([2, 2, 9, 5], [2, 9, 9, 5], [2, 9, 5, 5], [2, 2, 2, 9, 5, 5]):
        torch.testing.assert_close(risk(repeated), risk([2, 9, 5]))


def test_the_truth_joins_the_draws_once(logits, truth):
    def risk(indices, include_truth):
        y = torch.stack([torch.stack([OUTPUTS[i] for i in row]) for row in indices])
        sample = SamplerOutput(y, logits.unsqueeze(1).expand_as(y))
        loss = MinimumRiskLoss(SPACE, ORACLE, include_truth=include_truth, reduction="none")
        values = loss(None, truth, sample)
        return values, loss.get("oracle_cost")

    draws = [[2, 7], [4, 11], [3, 8]]
    true = [int(row[0] @ torch.tensor([8.0, 4, 2, 1], dtype=torch.float64)) for row in truth]
    expected, _ = risk([[t, *row] for t, row in zip(true, draws, strict=True)], False)
    with_truth, cost = risk(draws, True)
    torch.testing.assert_close(with_truth, expected)
    without, cost_of_draws = risk(draws, False)
    assert (with_truth < without).all() and cost == cost_of_draws
    # A truth that is also drawn counts once.
    drawn, _ = risk([[*row, t] for t, row in zip(true, draws, strict=True)], True)
    torch.testing.assert_close(drawn, expected)
    (gradient,) = torch.autograd.grad(with_truth.sum(), logits)
    ascent = logits - 0.01 * gradient
    for i in range(3):
        assert SPACE.log_prob(ascent[:, None], truth)[i] > SPACE.log_prob(logits[:, None], truth)[i]


@pytest.mark.parametrize("loss", [MinimumRiskLoss, PolicyGradientLoss])
def test_the_padding_of_a_draw_has_no_probability(loss, logits, truth):
    draws = [2, 7, 4]
    y = OUTPUTS[None, draws].expand(3, -1, -1)
    sample = SamplerOutput(y, logits.unsqueeze(1).expand_as(y))
    expected = loss(SPACE, ORACLE, reduction="none")(None, truth, sample)
    padding = torch.tensor([[1.0], [0.0], [1.0]], dtype=torch.float64).expand(3, 3, 1)
    padded = SamplerOutput(torch.cat([y, padding], 2), torch.cat([sample.logits, 2 + padding], 2))
    mask = torch.tensor([[True] * 4 + [False]] * 3)
    longer = torch.cat([truth, torch.ones_like(truth[..., :1])], 2)
    values = loss(SPACE, ORACLE, reduction="none")(None, longer, padded, mask)
    torch.testing.assert_close(values, expected)


@pytest.mark.parametrize("baseline", ["mean", "none"])
def test_the_policy_gradient_is_that_of_the_expected_cost(logits, truth, baseline):
    torch.manual_seed(1)
    y = SPACE.sample(logits, 40000)
    sample = SamplerOutput(y, logits.unsqueeze(1).expand_as(y))
    values = PolicyGradientLoss(SPACE, ORACLE, baseline, reduction="none")(None, truth, sample)
    estimate = torch.autograd.grad(values.mean(dim=1).sum(), logits)[0]
    exact = torch.autograd.grad(expected_costs(truth, logits).sum(), logits)[0]
    # The standard error of 40000 draws is below 0.5 / 200.
    torch.testing.assert_close(estimate, exact, atol=0.01, rtol=0)


def test_the_baseline_is_the_mean_of_the_other_draws(logits, truth):
    sample = SamplerOutput(
        OUTPUTS[None, [1, 7, 10]].expand(3, 3, 4), logits[:, None].expand(3, 3, 4)
    )
    values = PolicyGradientLoss(SPACE, ORACLE, reduction="none")(None, truth, sample)
    for i in range(3):
        costs = [1 - f1(truth[i, 0], y) for y in sample.y[i]]
        for k, y in enumerate(sample.y[i]):
            advantage = costs[k] - (sum(costs) - costs[k]) / 2
            p = torch.where(y > 0, logits[i].sigmoid(), (-logits[i]).sigmoid()).prod()
            torch.testing.assert_close(values[i, k], advantage * p.log())


def test_the_baseline_lowers_the_variance(logits, truth):
    torch.manual_seed(2)
    variances = []
    for baseline in ("mean", "none"):
        gradients = []
        for _ in range(200):
            y = SPACE.sample(logits, 5)
            sample = SamplerOutput(y, logits.unsqueeze(1).expand_as(y))
            loss = PolicyGradientLoss(SPACE, ORACLE, baseline)(None, truth, sample)
            gradients.append(torch.autograd.grad(loss, logits)[0])
        variances.append(torch.stack(gradients).var(dim=0).sum())
    assert variances[0] < 0.7 * variances[1]


def test_the_baseline_is_checked():
    with pytest.raises(ConfigurationError, match="'median'"):
        PolicyGradientLoss(SPACE, ORACLE, "median")


def test_the_oracle_cost_is_one_minus_f1(truth):
    torch.manual_seed(3)
    y = torch.rand(3, 2, 4, dtype=torch.float64)
    values = OracleCostLoss(ORACLE, reduction="none")(None, truth, SamplerOutput(y))
    for i, j in itertools.product(range(3), range(2)):
        assert values[i, j].item() == pytest.approx(1 - f1(truth[i, 0], y[i, j]).item())
