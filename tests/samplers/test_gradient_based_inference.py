"""Gradient-based inference against known optima, and its use of labels."""

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from component_names import names_of

from structured_energy.encoded import Encoded
from structured_energy.losses import NegativeLoss, OracleCostLoss, ScoreLoss
from structured_energy.networks import Network
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import (
    EntropicMirrorDescent,
    GradientBasedInferenceSampler,
    LogitsGradient,
    OutputOptimizer,
    RandomSampler,
    Sampler,
    UniformSampler,
)
from structured_energy.score_networks import ScoreNetwork

SPACE = BinaryOutputSpace()


class Bowl(ScoreNetwork):
    """s(x, y) = −curvature · ‖y − x‖², whose optimum is the projection of x."""

    def __init__(self, curvature=1.0):
        Network.__init__(self)
        self.structured_scores = torch.nn.ModuleList()
        self.curvature = torch.nn.Parameter(torch.tensor(curvature, dtype=torch.float64))
        self.dropout = torch.nn.Dropout(0.5)
        self.encoded = 0

    def encode(self, x, mask):
        self.encoded += 1
        return (self.dropout(x),)

    def score(self, encoding, y, mask):
        difference = y - encoding[0].unsqueeze(1)
        return -self.curvature * SPACE.sum_positions(difference**2, mask)


class Starts(Sampler):
    def __init__(self, y):
        super().__init__(SPACE)
        self.y = y

    def propose(self, x, truth, mask=None):
        assert truth is None
        return SamplerOutput(self.y)


@pytest.fixture()
def x():
    torch.manual_seed(0)
    return torch.randn(6, 5, dtype=torch.float64) + 0.5


OPTIMIZERS = [
    {"type": "projected-gradient", "learning_rate": 0.1},
    {"type": "entropic-mirror-descent", "learning_rate": 1.0},
    {"type": "logits-gradient", "learning_rate": 3.0},
    {"type": "optimizer", "optimizer": {"type": "adam", "lr": 0.02}},
    {"type": "optimizer", "optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.5}},
    {"type": "optimizer", "optimizer": {"type": "adam", "lr": 0.2}, "logits": True},
]


def build(optimizer):
    return OutputOptimizer.from_params(Params(dict(optimizer)), output_space=SPACE)


def test_every_registered_optimizer_is_here():
    assert {o["type"] for o in OPTIMIZERS} == set(names_of(OutputOptimizer))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("pick", ["best", "last"])
def test_the_known_optimum_is_reached(x, optimizer, pick):
    optimizer = build(optimizer)
    start = Starts(torch.full((6, 3, 5), 0.5, dtype=torch.float64))
    sampler = GradientBasedInferenceSampler(
        SPACE, Bowl(), num_steps=500, optimizer=optimizer, start=start, pick=pick
    )
    y = sampler.sample(x, None).y
    torch.testing.assert_close(y, x.clamp(0, 1).unsqueeze(1).expand(6, 3, 5), atol=0.02, rtol=0)


def test_the_best_of_all_iterates_is_picked(x):
    # With too large a step the iterates overshoot: the last one is not the best, the first may be.
    def run(pick):
        optimizer = LogitsGradient(SPACE, 30.0)
        start = Starts(torch.rand(6, 4, 5, dtype=torch.float64))
        return GradientBasedInferenceSampler(
            SPACE, network, num_steps=9, optimizer=optimizer, start=start, pick=pick
        )

    network = Bowl()
    torch.manual_seed(1)
    best = run("best").sample(x, None).y
    torch.manual_seed(1)
    everything = run("all").sample(x, None).y
    assert everything.shape == (6, 10 * 4, 5)
    scores = network.eval()(x, everything).view(6, 10, 4)
    torch.testing.assert_close(network(x, best), scores.amax(dim=1))
    assert (scores.argmax(dim=1) < 9).any()


def test_the_final_iterate_can_be_the_best(x):
    start = Starts(torch.zeros(6, 1, 5, dtype=torch.float64))
    settings = {"num_steps": 1, "start": start}
    best, last = (
        GradientBasedInferenceSampler(SPACE, Bowl(), pick=pick, **settings).sample(x, None).y
        for pick in ("best", "last")
    )
    torch.testing.assert_close(best, last)
    torch.testing.assert_close(last[:, 0], (0.2 * x).clamp(0, 1))  # y − 0.1 · 2 (y − x)


def test_features_are_computed_once_and_dropout_is_off(x):
    network = Bowl().train()
    sampler = GradientBasedInferenceSampler(SPACE, network, num_steps=7)
    first, second = sampler.sample(x, None).y, sampler.sample(x, None).y
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert network.encoded == 2
    assert network.training and network.curvature.requires_grad
    assert network.curvature.grad is None


def test_converged_instances_stop_and_the_others_continue(x):
    x = x.clone()
    x[2] = 0  # its start, zero, is its optimum
    x[4] = -3
    seen = []

    class Counted(Bowl):
        def forward(self, x, y, mask=None):
            seen.append(len(y))
            return super().forward(x, y, mask)

    sampler = GradientBasedInferenceSampler(SPACE, Counted(), num_steps=400, tolerance=1e-8)
    y = sampler.sample(x, None).y
    torch.testing.assert_close(y[:, 0], x.clamp(0, 1), atol=1e-3, rtol=0)
    *steps, end = seen  # all are scored once more at the end
    assert steps[0] == 6 and steps[2] == 4 and steps[-1] < 4 and end == 6
    assert steps == sorted(steps, reverse=True) and len(steps) < 400


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_result_of_an_instance_does_not_depend_on_the_others(x, optimizer):
    sampler = GradientBasedInferenceSampler(
        SPACE, Bowl(), num_steps=60, optimizer=build(optimizer), tolerance=1e-3
    )
    together = sampler.sample(x, None).y
    for i in range(len(x)):
        torch.testing.assert_close(sampler.sample(x[i : i + 1], None).y[0], together[i])


def test_an_adversarial_loss_is_descended_only_in_training(x):
    truth = (x > 0.5).double().unsqueeze(1)
    oracle = PerInstanceF1(SPACE)
    adversarial = NegativeLoss(OracleCostLoss(oracle, reduction="none"), log_key="adversarial")
    start = Starts(torch.full((6, 1, 5), 0.5, dtype=torch.float64))
    network = Bowl()
    settings = {"num_steps": 50, "start": start, "pick": "last"}
    sampler = GradientBasedInferenceSampler(SPACE, network, adversarial=adversarial, **settings)
    plain = GradientBasedInferenceSampler(SPACE, network, **settings)
    in_training = sampler.sample(x, truth).y
    assert (oracle.value(truth, in_training) < oracle.value(truth, start.y)).all()
    torch.testing.assert_close(sampler.sample(x, None).y, plain.sample(x, None).y)
    expected = (oracle.value(truth, in_training) - 1).mean().item()  # minus the cost of the end
    assert sampler.get_all()["adversarial.value"] == pytest.approx(expected)


class Counting(Bowl):
    """The same, which counts its evaluations."""

    def __init__(self):
        super().__init__()
        self.scored = 0

    def score(self, encoding, y, mask):
        self.scored += 1
        return super().score(encoding, y, mask)


def test_samplers_with_the_same_settings_share_a_prediction(x):
    network, truth = Counting(), torch.ones(6, 1, 5, dtype=torch.float64)
    settings = {"num_steps": 7, "start": UniformSampler(SPACE, network), "pick": "last"}

    def sampler(**others):
        arguments = {**settings, "optimizer": LogitsGradient(SPACE, 0.1), **others}
        return GradientBasedInferenceSampler(SPACE, network, **arguments).eval()

    encoded = Encoded(x)
    first, second = sampler(), sampler(start=UniformSampler(SPACE, network))
    with first.no_logging():
        y = first.sample(encoded, None).y
    scored = network.scored
    assert torch.equal(second.sample(encoded, truth).y, y)  # no truth in its objective
    assert network.scored == scored
    alone = sampler()
    alone.sample(Encoded(x), None)
    values, expected = second.get_all(), alone.get_all()
    assert values.keys() == expected.keys() == {"steps", "score", "trajectory"}
    for key, value in expected.items():
        np.testing.assert_array_equal(values[key], value)
    adversarial = NegativeLoss(OracleCostLoss(PerInstanceF1(SPACE), reduction="none"))
    for other in (
        sampler(num_steps=6),
        sampler(tolerance=1e-9),
        sampler(start=None),
        sampler(start=UniformSampler(SPACE, network, num_samples=2)),
        sampler(start=RandomSampler(SPACE, network)),
        sampler(optimizer=LogitsGradient(SPACE, 0.2)),
        sampler(optimizer=EntropicMirrorDescent(SPACE, 0.1)),
        sampler(truth_rate=0.5),
        sampler(pick="best"),
        sampler().train(),
        GradientBasedInferenceSampler(SPACE, Counting(), **settings).eval(),
    ):
        scored = other.score_network.scored
        other.sample(encoded, truth)
        assert other.score_network.scored > scored
    seeing = sampler(adversarial=adversarial)
    assert not torch.equal(seeing.sample(encoded, truth).y, y)
    assert torch.equal(seeing.sample(encoded, None).y, y)
    encoded.forget_trained()
    scored = network.scored
    first.sample(encoded, None)
    assert network.scored > scored


def test_the_truth_starts_at_its_rate_only_in_training(x):
    x = x.expand(6, 5).repeat(200, 1)
    truth = torch.ones(1200, 1, 5, dtype=torch.float64)
    sampler = GradientBasedInferenceSampler(SPACE, Bowl(), 1, truth_rate=0.3, pick="all")
    share = (sampler.sample(x, truth).y[:, 0] == 1).all(dim=1).double().mean().item()
    assert share == pytest.approx(0.3, abs=0.05)
    assert (sampler.sample(x, None).y[:, 0] == 0).all()


def test_the_trajectory_of_scores_is_logged(x):
    network = Bowl().eval()
    sampler = GradientBasedInferenceSampler(SPACE, network, num_steps=5, pick="all")
    y = sampler.sample(x, None).y
    expected = network(x, y).mean(dim=0).detach()
    trajectory = torch.as_tensor(sampler.get("trajectory"))
    torch.testing.assert_close(trajectory.double(), expected)
    assert (trajectory.diff() > 0).all()


def test_the_last_n_iterates_of_each_start_are_kept(x):
    start = Starts(torch.rand(6, 2, 5, dtype=torch.float64))
    settings = {"num_steps": 6, "start": start}
    everything = GradientBasedInferenceSampler(SPACE, Bowl(), pick="all", **settings)
    last = GradientBasedInferenceSampler(SPACE, Bowl(), pick="last-n", num_last=3, **settings)
    y = last.sample(x, None).y
    torch.testing.assert_close(y, everything.sample(x, None).y[:, -6:])


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:3], ids=str)
def test_unrolled_inference_is_differentiated_through_its_steps(x, optimizer):
    network = Bowl()
    start = Starts(torch.full((6, 2, 5), 0.4, dtype=torch.float64))
    sampler = GradientBasedInferenceSampler(
        SPACE, network, 4, build(optimizer), start=start, pick="last", unroll=True
    )
    truth = (x > 0.5).double().unsqueeze(1)

    def loss(curvature):
        with torch.no_grad():
            network.curvature.copy_(curvature)
        y = sampler.sample(x, truth).y
        return ((y - truth) ** 2).sum()

    value = torch.tensor(0.7, dtype=torch.float64)
    gradient = torch.autograd.grad(loss(value), network.curvature)[0]
    step = 1e-5
    numeric = (loss(value + step) - loss(value - step)) / (2 * step)
    torch.testing.assert_close(gradient, numeric.detach(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("start", [UniformSampler, RandomSampler])
def test_unrolling_reaches_the_features_from_any_start(x, start):
    network = Bowl()
    weight = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))
    network.register_parameter("weight", weight)
    network.encode = lambda x, mask: (weight * x,)
    sampler = GradientBasedInferenceSampler(
        SPACE, network, 4, start=start(SPACE, network), pick="last", unroll=True
    )
    sampler.sample(x, (x > 0.5).double().unsqueeze(1)).y.sum().backward()
    assert weight.grad.abs() > 0.1


def test_nothing_is_unrolled_outside_training(x):
    network = Bowl()
    sampler = GradientBasedInferenceSampler(SPACE, network, 4, unroll=True)
    assert sampler.sample(x, None).y.requires_grad
    assert not sampler.eval().sample(x, None).y.requires_grad
    sampler.train()
    with torch.no_grad():
        assert not sampler.sample(x, None).y.requires_grad


@pytest.mark.parametrize(
    "settings",
    [
        {"truth_rate": 0.1},
        {"adversarial": ScoreLoss(Bowl())},
        {"optimizer": build(OPTIMIZERS[3])},
    ],
    ids=["truth", "adversarial", "optimizer"],
)
def test_settings_that_cannot_be_unrolled_are_refused(settings):
    with pytest.raises(ConfigurationError, match="unrolled"):
        GradientBasedInferenceSampler(SPACE, Bowl(), unroll=True, **settings)


def test_a_wrong_setting_of_an_optimizer_raises_at_once():
    with pytest.raises((ConfigurationError, TypeError)):
        build({"type": "optimizer", "optimizer": {"type": "adam", "speed": 1.0}})


def test_bad_settings_are_named():
    with pytest.raises(ConfigurationError, match="num_last"):
        GradientBasedInferenceSampler(SPACE, Bowl(), num_steps=3, pick="last-n", num_last=5)
    with pytest.raises(ConfigurationError, match="'worst'"):
        GradientBasedInferenceSampler(SPACE, Bowl(), pick="worst")
    with pytest.raises(ConfigurationError, match="truth_rate"):
        GradientBasedInferenceSampler(SPACE, Bowl(), truth_rate=1.5)


def test_the_score_loss_descends_as_the_score(x):
    network = Bowl()
    adversarial = ScoreLoss(network, reduction="none")
    truth = (x > 0).double().unsqueeze(1)
    with_loss = GradientBasedInferenceSampler(SPACE, network, adversarial=adversarial)
    without = GradientBasedInferenceSampler(SPACE, network)
    torch.testing.assert_close(with_loss.sample(x, truth).y, without.sample(x, None).y)


@pytest.mark.parametrize(("tolerance", "length"), [(0.0, 9), (0.05, 7)])  # all have converged
def test_the_path_is_every_iterate_with_its_score(x, tolerance, length):
    starts = torch.rand(6, 2, 5, dtype=torch.float64)
    network = Bowl()

    def build_sampler(pick):
        return GradientBasedInferenceSampler(
            SPACE,
            network,
            num_steps=8,
            optimizer=build(OPTIMIZERS[0]),
            tolerance=tolerance,
            start=Starts(starts),
            pick=pick,
        )

    path = build_sampler("last").path(x)
    assert torch.equal(path[0].y, starts)
    assert len(path) == length
    every = torch.cat([iterate.y for iterate in path], dim=1)
    assert torch.equal(every, build_sampler("all").sample(x, None).y)
    for iterate in path:
        # An instance that has converged no longer moves.
        expected = -((iterate.y - x.unsqueeze(1)) ** 2).sum(dim=2)
        torch.testing.assert_close(iterate.score, expected)
        assert not iterate.y.requires_grad and not iterate.score.requires_grad
