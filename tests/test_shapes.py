"""Every base names the subclass whose hook returns a wrong shape."""

import pytest
import torch
from allennlp.training.metrics import Metric

from structured_energy.encoders import Encoder
from structured_energy.losses import Loss
from structured_energy.metrics.set_metric import SetMetric
from structured_energy.oracle_values import OracleValue
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import InferenceNetworkSampler, Sampler
from structured_energy.score_networks import StructuredScore
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import PotentialsNetwork


class WrongScore(StructuredScore):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def score(self, y, mask, h):
        return self.change(y.flatten(2).sum(2))


CHANGES = {
    "a scalar": lambda values: values.sum(),
    "a dimension more": lambda values: values.unsqueeze(2),
    "a dimension less": lambda values: values[:, 0],
    "transposed": lambda values: values.T,
}


@pytest.fixture(params=CHANGES)
def change(request):
    return CHANGES[request.param]


@pytest.fixture()
def y(problem):
    return problem.sample(2).y


def test_a_structured_score(problem, y, change):
    problem.score_network.structured_scores.append(WrongScore(change))
    with pytest.raises(ValueError, match=r"WrongScore.score to return .* = \(3, 2\), got \("):
        problem.score_network(problem.x, y)


def test_a_score_network(problem, y, change):
    class WrongNetwork(PotentialsNetwork):
        def encode(self, x, mask):
            return (torch.zeros(3, 4, dtype=x.dtype),)

        def score(self, encoding, y, mask):
            return change(super().score(encoding, y, mask))

    network = WrongNetwork(problem.output_space)
    with pytest.raises(ValueError, match=r"WrongNetwork.score to return .* = \(3, 2\), got \("):
        network(problem.x, y)


def test_the_potentials_of_a_score_network(problem, y):
    class WrongNetwork(PotentialsNetwork):
        def encode(self, x, mask):
            return (torch.zeros(3, 1, 4, dtype=x.dtype),)

    with pytest.raises(
        ValueError, match=r"potentials \(3, 1, 4\) of WrongNetwork, got \(3, 2, 4\)"
    ):
        WrongNetwork(problem.output_space)(problem.x, y)


class WrongEncoder(Encoder):
    position_dims = 0
    output_size = 5

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def encode(self, x, mask):
        return torch.zeros(self.shape)


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (3, 1, 5)])
def test_an_encoder(problem, shape):
    network = TaskNetwork(problem.vocab, problem.output_space, WrongEncoder(shape))
    with pytest.raises(ValueError, match=r"Expected WrongEncoder.encode to return .*, got \("):
        network(problem.x)


def test_logits_that_do_not_fit_the_truth_are_of_the_task_network(problem):
    network = TaskNetwork(problem.vocab, problem.output_space, WrongEncoder((2, 5)))
    sampler = InferenceNetworkSampler(problem.output_space, network)
    expected = r"= \(3, any, 4\), got \(2, 1, 4\), of the logits of TaskNetwork"
    with pytest.raises(ValueError, match=expected):
        sampler.sample(problem.x, problem.truth)


@pytest.mark.parametrize("loss", ["value-regression", "oracle-cost", "margin-based"])
def test_an_oracle_value(problem, change, loss):
    class WrongValue(OracleValue):
        def compute(self, truth, y, mask):
            return change(1 - self.output_space.distance(y, truth, mask))

    problem.oracle_value = WrongValue(problem.output_space)
    component = problem.build(Loss, f"'{loss}'")
    # value-regression also values the cost-augmented outputs of the sample.
    shape = r"\(3, 4\)" if loss == "value-regression" else r"\(3, 2\)"
    with pytest.raises(ValueError, match=rf"WrongValue.compute to return .* = {shape}, got \("):
        component.unreduced(problem.x, problem.truth, problem.sample(2))


def test_a_loss(problem, change):
    class WrongLoss(Loss):
        def compute(self, x, truth, sample, mask):
            return change(sample.y.sum(2))

    with pytest.raises(ValueError, match=r"WrongLoss.compute .* = \(3, 2\) or \(3, 1\), got \("):
        WrongLoss()(problem.x, problem.truth, problem.sample(2))


def wrong_sampler(problem, make):
    class WrongSampler(Sampler):
        def propose(self, x, truth, mask=None):
            return make(problem.sample(2))

    return WrongSampler(problem.output_space, loss=problem.build(Loss, "'score'"))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda s: s._replace(y=s.y[:, 0]), r"y .* = \(3, any, 4\), got \(3, 4\)"),
        (lambda s: s._replace(y=s.y[:2]), r"y .* = \(3, any, 4\), got \(2, 2, 4\)"),
        (lambda s: s._replace(y=s.y[..., :3]), r"y .* = \(3, any, 4\), got \(3, 2, 3\)"),
        (lambda s: s._replace(logits=s.logits[:, 0]), r"logits \(3, 2, 4\) .*, got \(3, 4\)"),
        (lambda s: s._replace(log_prob=s.log_prob.sum()), r"log_prob \(3, 2\) .*, got \(\)"),
        (lambda s: s.y, r"a SamplerOutput, got Tensor"),
    ],
)
def test_a_sampler(problem, make, found):
    with pytest.raises(ValueError, match=f"WrongSampler.propose to return {found}"):
        wrong_sampler(problem, make)(problem.x, problem.labels)


def test_a_sampler_that_predicts(problem):
    sampler = wrong_sampler(problem, lambda s: SamplerOutput(s.y[:, 0]))
    for mask in (None, problem.mask):
        with pytest.raises(ValueError, match=r"WrongSampler.propose to return y .*, got \(3, 4\)"):
            sampler(problem.x, None, mask)


def test_a_sampler_inside_a_container(problem):
    container = problem.build(Sampler, "{type: 'appending-container', constituents: ['random']}")
    container.constituents[0] = wrong_sampler(problem, lambda s: s._replace(y=s.y[:, 0]))
    with pytest.raises(ValueError, match="WrongSampler.propose"):
        container.sample(problem.x, problem.truth)


def test_a_metric():
    class WrongValue(Metric.by_name("hamming-loss")):
        def value(self, sums):
            return torch.zeros(2)

    class WrongSums(SetMetric):
        name = "wrong"

        def sums(self, probabilities, predictions, labels, mask):
            return {"right": (predictions == labels).sum(1)}

        def value(self, sums):
            return sums["right"].sum()

    metric = WrongValue()
    metric(torch.rand(3, 4), torch.rand(3, 4) < 0.5, torch.rand(3, 4) < 0.5)
    with pytest.raises(ValueError, match=r"WrongValue.value to return a scalar, got \(2,\)"):
        metric.get_metric()
    metric = WrongSums()
    metric(torch.rand(3, 4), torch.rand(3, 4) < 0.5, torch.rand(3, 4) < 0.5)
    with pytest.raises(ValueError, match=r"sums of WrongSums .*\(3,\) and then \(2,\)"):
        metric(torch.rand(2, 4), torch.rand(2, 4) < 0.5, torch.rand(2, 4) < 0.5)
