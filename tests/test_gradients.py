"""Which gradients are closed forms, and what a subclass inherits."""

from contextlib import contextmanager

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.encoded import Encoded
from structured_energy.losses import Loss, NegativeLoss, ValueRegressionLoss
from structured_energy.networks import frozen
from structured_energy.oracle_values import PerInstanceF1
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.samplers import Sampler
from structured_energy.score_networks import FeedForwardStructuredScore, ScoreNetwork
from structured_energy.testing import make_test_problem

LAYERS = "{num_layers: 1, hidden_dims: 5, activations: 'softplus'}"
NETWORK = (
    f"{{encoder: {{type: 'feedforward', feedforward: {LAYERS}}}, "
    f"structured_scores: [{{type: 'feedforward', feedforward: {LAYERS}}}]}}"
)


class Squared(FeedForwardStructuredScore):
    def score(self, y, mask, h):
        return super().score(y, mask, h) ** 2


class Halved(PerInstanceF1):
    def compute(self, truth, y, mask):
        return super().compute(truth, y, mask) / 2


@pytest.fixture()
def problem():
    return make_test_problem(space="binary", dtype=torch.float64)


def test_local_and_feed_forward_terms_build_no_graph(problem, monkeypatch):
    network = problem.build(ScoreNetwork, NETWORK)
    with frozen(network):
        function = network.gradient_function(Encoded(problem.x))
        monkeypatch.setattr(torch.autograd, "grad", None)
        with torch.no_grad():
            scores, gradient = function(problem.sample().y)
    assert scores.shape == (3, 3) and gradient.shape == problem.sample().y.shape


def test_a_subclass_that_computes_other_values_has_the_gradient_of_those(problem):
    y = problem.sample().y
    term = problem.build(ScoreNetwork, NETWORK).structured_scores[0]
    term.__class__ = Squared
    halved, whole = (kind(BinaryOutputSpace()) for kind in (Halved, PerInstanceF1))
    with torch.no_grad():
        _, gradient = term.gradient_adder(None, None)(y, y.new_zeros(3, 3), torch.zeros_like(y))
        _, of_halved = halved.gradient_function(problem.truth)(y)
        _, of_whole = whole.gradient_function(problem.truth)(y)
    variable = y.clone().requires_grad_()
    (expected,) = torch.autograd.grad(term(variable).sum(), variable)
    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(of_halved, of_whole / 2)


def test_dropout_is_in_the_gradient_of_a_network_in_training(problem):
    layers = LAYERS.replace("}", ", dropout: 0.5}")
    term = problem.build(ScoreNetwork, NETWORK.replace(LAYERS, layers)).structured_scores[0]
    y = problem.sample().y

    def gradient():
        torch.manual_seed(0)
        add = term.gradient_adder(None, None)
        return add(y, y.new_zeros(3, 3), torch.zeros_like(y))[1]

    in_training = gradient()
    assert not torch.allclose(in_training, (term.eval(), gradient())[1])


def test_a_loss_that_treats_outputs_as_constants_is_refused(problem):
    loss = problem.build(Loss, "'margin-based'")
    with frozen(problem.score_network), pytest.raises(ConfigurationError, match="MarginBasedLoss"):
        loss.gradient_function(problem.x, problem.truth)(problem.sample().y)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "optimizer", ["projected-gradient", "entropic-mirror-descent", "logits-gradient"]
)
def test_a_descent_by_closed_forms_ends_where_one_by_autograd_does(dtype, optimizer, monkeypatch):
    problem = make_test_problem(space="binary", dtype=dtype)
    adversary = "{type: 'negative', constituent: 'value-regression'}"
    sampler = problem.build(
        Sampler,
        f"{{type: 'gradient-based-inference', optimizer: '{optimizer}', adversarial: {adversary}, "
        "num_steps: 30, pick: 'last', start: {type: 'random', num_samples: 2}}",
    )

    def ends():
        torch.manual_seed(0)
        adversarial = sampler.sample(problem.x, problem.truth).y
        return adversarial, sampler.sample(problem.x, None).y

    with problem_dtype(dtype):
        closed = ends()
        for kind in (ScoreNetwork, ValueRegressionLoss, NegativeLoss):
            monkeypatch.setattr(kind, "gradient_function", kind.by_autograd)
        by_graph = ends()
    for first, second in zip(closed, by_graph, strict=True):
        torch.testing.assert_close(first, second)
    assert not torch.allclose(*closed)


@contextmanager
def problem_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)
