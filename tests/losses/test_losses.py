"""Each loss against its formula, written out by hand."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.losses import (
    CombinationLoss,
    CrossEntropyLoss,
    InferenceLoss,
    Loss,
    MarginBasedLoss,
    NegativeLoss,
    ScoreLoss,
    ZeroLoss,
)
from structured_energy.oracle_values import HammingOracleValue, PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput

SPACE = BinaryOutputSpace()


class Quadratic(torch.nn.Module):
    """s(x, y) = Σ x·y − (Σ y)² / 10, a score network with simple values."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, x, y, mask=None):
        return self.scale * ((x.unsqueeze(1) * y).sum(-1) - y.sum(-1) ** 2 / 10)


@pytest.fixture()
def batch():
    torch.manual_seed(0)
    x = torch.randn(5, 4, dtype=torch.float64)
    truth = (torch.rand(5, 1, 4) < 0.5).double()
    y, augmented = torch.rand(2, 5, 3, 4, dtype=torch.float64)
    return x, truth, SamplerOutput(y, torch.logit(y), augmented)


def score(x, y):
    return (x * y).sum() - y.sum() ** 2 / 10


FORMULAS = {
    "margin-rescaled": lambda w, cost, gap: max(0, w * cost + gap),
    "slack-rescaled": lambda w, cost, gap: w * cost * max(0, 1 + gap),
    "perceptron": lambda w, cost, gap: max(0, gap),
    "contrastive": lambda w, cost, gap: max(0, 1 + gap),
}


@pytest.mark.parametrize("margin_type", FORMULAS)
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("oracle_value", [HammingOracleValue, PerInstanceF1])
def test_margin_based(batch, margin_type, separate, oracle_value):
    x, truth, sample = batch
    oracle, w, v = oracle_value(SPACE), 2.5, 0.3
    if not separate:
        sample = sample._replace(cost_augmented=None)
    loss = MarginBasedLoss(Quadratic(), oracle, margin_type, w, v, reduction="none")
    result = loss(x, truth, sample)
    augmented = sample.cost_augmented if separate else sample.y
    costs = 1 - oracle.value(truth, augmented)
    for i, j in itertools.product(range(5), range(3)):
        true_score = score(x[i], truth[i, 0])
        expected = FORMULAS[margin_type](w, costs[i, j], score(x[i], augmented[i, j]) - true_score)
        if separate:
            expected += v * max(0, score(x[i], sample.y[i, j]) - true_score)
        assert result[i, j].item() == pytest.approx(float(expected), abs=1e-12)


def test_margin_based_logs_its_parts(batch):
    x, truth, sample = batch
    oracle, network = HammingOracleValue(SPACE), Quadratic()
    loss = MarginBasedLoss(network, oracle, "perceptron")
    value = loss(x, truth, sample)
    gaps = network(x, sample.cost_augmented) - network(x, truth)
    logged = loss.get_all()
    assert logged == pytest.approx(
        {
            "value": value.item(),
            "oracle_cost": oracle.cost(truth, sample.cost_augmented).mean().item(),
            "cost_augmented_score": network(x, sample.cost_augmented).mean().item(),
            "inference_score": network(x, sample.y).mean().item(),
            "ground_truth_score": network(x, truth).mean().item(),
            "violations": (gaps > 0).double().mean().item(),
        }
    )


def test_margin_based_gives_no_gradient_to_the_outputs(batch):
    x, truth, sample = batch
    y = sample.y.requires_grad_()
    network = Quadratic()
    loss = MarginBasedLoss(network, HammingOracleValue(SPACE), oracle_cost_weight=5.0)
    loss(x, truth, SamplerOutput(y)).backward()
    assert y.grad is None and network.scale.grad is not None


def test_margin_type_is_checked():
    with pytest.raises(ConfigurationError, match="got 'margin_rescaled'"):
        MarginBasedLoss(Quadratic(), HammingOracleValue(SPACE), "margin_rescaled")


@pytest.mark.parametrize("separate", [False, True])
def test_inference(batch, separate):
    x, truth, sample = batch
    if not separate:
        sample = sample._replace(cost_augmented=None)
    oracle, network, w, v = PerInstanceF1(SPACE), Quadratic(), 2.0, 0.7
    result = InferenceLoss(network, oracle, w, v, reduction="none")(x, truth, sample)
    augmented = sample.cost_augmented if separate else sample.y
    expected = -(w * (1 - oracle.value(truth, augmented)) + network(x, augmented))
    if separate:
        expected = expected - v * network(x, sample.y)
    torch.testing.assert_close(result, expected)


def test_inference_is_differentiable_in_the_outputs(batch):
    x, truth, sample = batch

    def objective(y, augmented):
        loss = InferenceLoss(Quadratic(), PerInstanceF1(SPACE))
        return loss(x, truth, SamplerOutput(y, None, augmented))

    y, augmented = sample.y.requires_grad_(), sample.cost_augmented.requires_grad_()
    assert torch.autograd.gradcheck(objective, (y, augmented))


def test_cross_entropy_is_torch_s(batch):
    x, truth, sample = batch
    sample = sample._replace(logits=torch.randn(5, 1, 4, dtype=torch.float64))
    result = CrossEntropyLoss(SPACE)(x, truth, sample)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        sample.logits, truth, reduction="sum"
    )
    assert result.item() == pytest.approx(expected.item() / 5)
    with pytest.raises(ValueError, match="returns logits"):
        CrossEntropyLoss(SPACE)(x, truth, SamplerOutput(sample.y))


def test_score_zero_and_negative(batch):
    x, truth, sample = batch
    network = Quadratic()
    assert ScoreLoss(network)(x, truth, sample).item() == pytest.approx(
        -network(x, sample.y).mean().item()
    )
    assert ZeroLoss("none")(x, truth, sample).tolist() == [[0.0] * 3] * 5
    negative = NegativeLoss(ScoreLoss(network, "sum"))
    assert negative(x, truth, sample).item() == pytest.approx(network(x, sample.y).sum().item())
    assert negative.reduction == "sum"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_combination_is_the_weighted_sum_of_the_reduced_losses(batch, reduction):
    x, truth, sample = batch
    sample = sample._replace(logits=sample.logits[:, :1])
    parts = [ScoreLoss(Quadratic(), reduction), CrossEntropyLoss(SPACE, reduction=reduction)]
    combination = CombinationLoss(parts, [2.0, 0.5])
    expected = 2.0 * parts[0](x, truth, sample) + 0.5 * parts[1](x, truth, sample)
    torch.testing.assert_close(combination(x, truth, sample), expected)
    assert set(combination.get_all()) == {"value", "score.value", "cross_entropy.value"}


def test_combination_refuses_a_mixture_of_reductions_and_wrong_weights():
    with pytest.raises(
        ConfigurationError, match="same reduction, got .*ZeroLoss: sum, ZeroLoss: mean"
    ):
        CombinationLoss([ZeroLoss("sum"), ZeroLoss("mean", "other")])
    with pytest.raises(ConfigurationError, match="1 constituents and 2 weights"):
        CombinationLoss([ZeroLoss()], [1.0, 2.0])


def test_reduction_and_shapes_are_checked(batch):
    x, truth, sample = batch
    with pytest.raises(ConfigurationError, match="got 'average'"):
        ZeroLoss("average")
    with pytest.raises(ValueError, match=r"a truth \(batch, 1, .* in ZeroLoss"):
        ZeroLoss()(x, truth[:, 0], sample)

    class Wrong(Loss):
        def compute(self, x, truth, sample, mask):
            return truth.sum()

    with pytest.raises(ValueError, match="Expected Wrong.compute to return"):
        Wrong()(x, truth, sample)


def test_the_base_cannot_be_built():
    with pytest.raises(TypeError, match="abstract"):
        Loss()
