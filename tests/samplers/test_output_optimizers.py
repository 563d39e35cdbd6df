"""Every optimiser of outputs against the known optima of concave scores."""

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from component_names import names_of
from scipy.optimize import minimize

from structured_energy.samplers import GradientBasedInferenceSampler, OutputOptimizer
from structured_energy.testing import PotentialsNetwork, make_test_problem

SPACES = ("binary", "categorical")
EVENT = {"binary": (5,), "categorical": (3, 4)}


def wrapped(name, lr, logits=True, **settings):
    inner = {"type": name, "lr": lr, **settings}
    return {"type": "optimizer", "optimizer": inner, "logits": logits}


# Each with the spaces that it supports and the number of steps that it needs: an optimizer that
# follows the gradient in the logits approaches a corner as 1 / t, and an optimizer with steps of
# constant length needs small ones.
OPTIMIZERS = [
    ({"type": "projected-gradient", "learning_rate": 0.1}, SPACES, 300),
    ({"type": "entropic-mirror-descent", "learning_rate": 0.3}, SPACES, 300),
    ({"type": "logits-gradient", "learning_rate": 3.0}, SPACES, 1000),
    (wrapped("adam", 0.1), SPACES, 300),
    (wrapped("rmsprop", 0.004), SPACES, 2500),
    (wrapped("adagrad", 0.5), SPACES, 300),
    (wrapped("sgd", 0.2, momentum=0.5), SPACES, 300),
    (wrapped("sgd", 0.1, logits=False, momentum=0.5), SPACES, 300),
    (wrapped("adam", 0.02, logits=False), ("binary",), 500),
    (wrapped("adagrad", 0.3, logits=False), ("binary",), 300),
]
CASES = [
    pytest.param(space, optimizer, steps, id=f"{space}-{optimizer}")
    for optimizer, spaces, steps in OPTIMIZERS
    for space in spaces
]


class Quadratic(PotentialsNetwork):
    """s(x, y) = ⟨x, y⟩ − yᵀ A y / 2, with A over all entries of y."""

    def __init__(self, space, matrix):
        super().__init__(space)
        self.matrix = matrix

    def score(self, encoding, y, mask):
        linear = (encoding[0].unsqueeze(1) * y).flatten(2).sum(2)
        flat = y.flatten(2)
        return linear - torch.einsum("bni,ij,bnj->bn", flat, self.matrix, flat) / 2


def quadratic(space, linear):
    """Return a network, x, and the output of the highest score for each instance."""
    output_space = make_test_problem(space=space).output_space
    event = EVENT[space]
    if space == "categorical":  # the problem has 3 tags
        output_space.num_values = event[-1]
    size = int(np.prod(event))
    generator = torch.Generator().manual_seed(3)
    levels = 1.5 * (torch.arange(event[-1], dtype=torch.float64) - 1.4)  # none near 0, nor a tie
    order = torch.rand(3, *event, generator=generator).argsort(-1)
    x = levels[order]
    root = torch.randn(size, size, dtype=torch.float64, generator=generator)
    matrix = root @ root.T / size + torch.eye(size, dtype=torch.float64)
    if linear:
        optima = (x > 0).double() if space == "binary" else output_space.encode(x.argmax(-1))[:, 0]
        return Quadratic(output_space, 0 * matrix), x, optima.double()
    simplices = [
        {"type": "eq", "fun": lambda y, i=i: y.reshape(event)[i].sum() - 1}
        for i in range(event[0] if space == "categorical" else 0)
    ]
    solutions = [
        minimize(
            lambda y, b=b: y @ matrix.numpy() @ y / 2 - b @ y,
            np.full(size, 1 / event[-1]),
            jac=lambda y, b=b: matrix.numpy() @ y - b,
            bounds=[(0, 1)] * size,
            constraints=simplices,
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 1000},
        ).x
        for b in x.flatten(1).numpy()
    ]
    return Quadratic(output_space, matrix), x, torch.tensor(np.array(solutions)).view_as(x)


def build(optimizer, space):
    return OutputOptimizer.from_params(Params(dict(optimizer)), output_space=space)


def test_every_registered_optimizer_is_here():
    assert {o["type"] for o, _, _ in OPTIMIZERS} == set(names_of(OutputOptimizer))


@pytest.mark.parametrize("linear", [True, False], ids=["linear", "quadratic"])
@pytest.mark.parametrize(("space", "optimizer", "steps"), CASES)
def test_the_optimum_of_a_concave_score_is_reached(space, optimizer, steps, linear):
    network, x, optima = quadratic(space, linear)
    space = network.output_space
    sampler = GradientBasedInferenceSampler(
        space, network, steps, build(optimizer, space), pick="last"
    )
    y = sampler.sample(x, None).y[:, 0]
    assert space.contains(y)
    torch.testing.assert_close(y, optima, atol=1e-3, rtol=0)


@pytest.mark.parametrize("optimizer", [o for o, _, _ in OPTIMIZERS], ids=str)
def test_a_step_depends_on_its_arguments_only(optimizer):
    optimizer = build(optimizer, make_test_problem(space="binary").output_space)
    first, second, gradient = torch.rand(3, 4, 2, 5, dtype=torch.float64)

    def third_step(z, other=None):
        state = optimizer.init(z)
        for _ in range(2):
            z, state = optimizer.step(z, gradient, state)
            if other is not None:  # another descent by the same optimizer takes a step in between
                optimizer.step(other, gradient, optimizer.init(other))
        once, _ = optimizer.step(z, gradient, state)
        again, _ = optimizer.step(z, gradient, state)
        assert torch.equal(once, again)
        return once

    assert torch.equal(third_step(first), third_step(first, second))


@pytest.mark.parametrize("optimizer", [o for o, _, _ in OPTIMIZERS], ids=str)
def test_a_narrowed_state_moves_its_rows_as_the_whole_state_does(optimizer):
    optimizer = build(optimizer, make_test_problem(space="binary").output_space)
    z, *gradients = torch.rand(4, 4, 2, 5, dtype=torch.float64)
    state = optimizer.init(z)
    z, state = optimizer.step(z, gradients[0], state)
    rows = torch.tensor([1, 3])
    some, state_of_some = z[rows], state.rows(rows)
    for gradient in gradients[1:]:
        z, state = optimizer.step(z, gradient, state)
        some, state_of_some = optimizer.step(some, gradient[rows], state_of_some)
    torch.testing.assert_close(some, z[rows])


@pytest.mark.parametrize(
    ("name", "reference", "settings"),
    [
        ("adam", torch.optim.Adam, {"lr": 0.02}),
        ("adagrad", torch.optim.Adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5}),
        ("sgd", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ],
)
def test_a_wrapped_optimizer_steps_as_it_does_by_itself(name, reference, settings):
    space = make_test_problem(space="binary").output_space
    optimizer = build(wrapped(name, logits=False, **settings), space)
    z, *gradients = torch.rand(5, 4, 2, 5, dtype=torch.float64)
    parameter = torch.nn.Parameter(z.clone())
    expected = reference([parameter], **settings)
    state = optimizer.init(z)
    for gradient in gradients:
        z, state = optimizer.step(z, gradient, state)
        parameter.grad = gradient
        expected.step()
        parameter.data.clamp_(0, 1)
        assert torch.equal(z, parameter.detach())


@pytest.mark.parametrize(("name", "lr"), [("adam", 0.1), ("rmsprop", 0.1), ("adagrad", 0.5)])
def test_scaled_steps_do_not_undo_themselves_on_the_simplex(name, lr):
    space = make_test_problem(space="categorical").output_space
    network = Quadratic(space, torch.zeros(12, 12, dtype=torch.float64))
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).expand(1, 4, 3)
    optimizer = OutputOptimizer.from_params(
        Params({"type": "optimizer", "optimizer": {"type": name, "lr": lr}}), output_space=space
    )
    sampler = GradientBasedInferenceSampler(space, network, 200, optimizer)
    assert network(x, sampler.sample(x, None).y).item() == pytest.approx(12, abs=1e-3)


def test_scaled_steps_on_the_simplex_itself_are_refused():
    spaces = {space: make_test_problem(space=space).output_space for space in SPACES}
    for name in ("adam", "rmsprop", "adagrad", "fused-adamw"):
        with pytest.raises(ConfigurationError, match="Expected logits: true .* leave out 'logits'"):
            build(wrapped(name, 0.1, logits=False), spaces["categorical"])
        build(wrapped(name, 0.1, logits=False), spaces["binary"])
    build(wrapped("sgd", 0.1, logits=False), spaces["categorical"])


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "optimizer",
    ["entropic-mirror-descent", "logits-gradient", {"type": "optimizer", "optimizer": "adam"}],
    ids=str,
)
def test_a_corner_is_left_with_the_first_step(space, optimizer):
    problem = make_test_problem(space=space)
    optimizer = dict(optimizer) if isinstance(optimizer, dict) else {"type": optimizer}
    if optimizer["type"] == "optimizer":
        optimizer["optimizer"] = {"type": "adam", "lr": 0.1}

    def first_step(**settings):
        built = build({**optimizer, **settings}, problem.output_space)
        sampler = GradientBasedInferenceSampler(
            problem.output_space, network, 1, built, truth_rate=1.0, pick="all"
        )
        before, after = sampler.sample(x, truth).y.unbind(1)
        return (before - truth[:, 0]).abs().max().item(), (after - before).abs().max().item()

    size = problem.truth[0].numel()
    network = Quadratic(problem.output_space, torch.zeros(size, size, dtype=torch.float64))
    truth = problem.truth
    x = 2 - 4 * truth[:, 0]  # every true value is the worst
    smoothed, moved = first_step()
    assert smoothed == pytest.approx(0.1 if space == "binary" else 0.2 * 2 / 3)
    assert moved > 1e-3
    smoothed, moved = first_step(smoothing=0.0)
    assert smoothed < 1e-5 and moved < 1e-5
    with pytest.raises(ConfigurationError, match=r"a smoothing in \[0, 1\] .* got 1.5"):
        first_step(smoothing=1.5)
