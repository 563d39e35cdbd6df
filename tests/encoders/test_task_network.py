"""The score network on the task network's encoding: computed once, with the right gradients."""

import copy
import json
import math
from pathlib import Path

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models.archival import load_archive
from shipped import config_of
from snippets import network

from structured_energy.encoded import Encoded
from structured_energy.networks import frozen
from structured_energy.score_networks import ScoreNetwork
from structured_energy.testing import evaluate_jsonnet, make_test_problem
from structured_energy.training.acceleration import compile_parts

ROOT = Path(__file__).resolve().parents[2]
HEAD = "{num_layers: 1, hidden_dims: 3, activations: 'tanh'}"
TASK = "{type: 'task-network'}"
OPEN = "{type: 'task-network', detach: false}"
CONTINUED = f"{{type: 'feedforward', encoder: {TASK}, feedforward: {HEAD}}}"
CONTINUED_OPEN = f"{{type: 'feedforward', encoder: {OPEN}, feedforward: {HEAD}}}"
TERMS = "[{type: 'conditional-feedforward', num_patterns: 3}, 'label-attention']"


def networks(encoder, terms=TERMS):
    return f"""
      task_network: {network(dropout=0.5)},
      score_network: {{encoder: {encoder}, structured_scores: {terms}}},
    """


def model_snippet(encoder, terms=TERMS, more=""):
    return f"""{{ {networks(encoder, terms)}
      loss: {{type: 'margin-based'}}, oracle_value: 'per-instance-f1',
      sampler: {{type: 'inference-network', loss: 'score'}}, {more}
    }}"""


@pytest.fixture()
def build(tiny_model, problem):
    def build(encoder, **settings):
        torch.manual_seed(0)
        return tiny_model(model_snippet(encoder, **settings)).to(problem.dtype)

    return build


@pytest.mark.parametrize("encoder", [TASK, OPEN, CONTINUED, CONTINUED_OPEN])
def test_the_parameters_of_the_task_network_are_its_own(build, encoder):
    model = build(encoder)
    names = [name for name, _ in model.score_network.named_parameters()]
    assert not any("task_network" in name for name in names)
    own = {id(parameter) for parameter in model.score_network.parameters()}
    assert not own & {id(parameter) for parameter in model.task_network.parameters()}
    assert not any("task_network" in key for key in model.score_network.state_dict())
    # Every parameter is in one group of the trainer.
    grouped = [name for group in model.networks.values() for name, _ in group]
    assert sorted(grouped) == sorted(name for name, _ in model.named_parameters())


@pytest.mark.parametrize("encoder", [TASK, CONTINUED])
def test_the_score_is_that_of_the_projected_encoding(build, problem, encoder):
    model = build(encoder).eval()
    h = model.task_network.encoder(problem.x)
    if encoder == CONTINUED:
        (layer,) = model.score_network.encoder.feedforward._linear_layers
        h = torch.tanh(layer(h))
    y = problem.sample().y
    u = model.score_network.projection(h)
    expected = (y * u.unsqueeze(1)).sum(2)
    for term in model.score_network.structured_scores:
        expected = expected + term(y, None, term.encode(problem.x, h, None))
    torch.testing.assert_close(model.score_network(problem.x, y), expected)
    torch.testing.assert_close(model.score_network(Encoded(problem.x), y), expected)


@pytest.mark.parametrize("role", ["score_network", "task_network"])
@pytest.mark.parametrize("encoder", [TASK, OPEN, CONTINUED])
def test_a_batch_is_encoded_once_for_a_step(build, problem, encoder, role):
    model = build(encoder)
    calls = []
    model.task_network.encoder.register_forward_hook(lambda *call: calls.append(call))
    for step in (1, 2):
        with model.optimizing(role):
            model(problem.x, problem.labels)["loss"].backward()
        assert len(calls) == step
    model.eval()
    with torch.no_grad():
        model(problem.x, problem.labels)
    assert len(calls) == 3


def test_the_score_network_sees_the_dropout_of_the_task_network_s_step(build, problem):
    model = build(TASK)
    seen = []
    model.task_network.encoder.register_forward_hook(lambda *call: seen.append(call[-1]))
    score = model.score_network
    score.projection.register_forward_hook(lambda module, inputs, _: seen.append(inputs[0]))
    with model.optimizing("task_network"):
        model(problem.x, problem.labels)
    by_task_network, by_score_network = seen
    assert torch.equal(by_task_network, by_score_network) and (by_task_network == 0).any()
    seen.clear()
    with model.optimizing("score_network"):
        model(problem.x, problem.labels)
    assert not (seen[0] == 0).any()  # frozen, without dropout


@pytest.mark.parametrize("encoder", [TASK, CONTINUED])
def test_a_detached_encoding_is_a_constant(build, problem, encoder):
    model = build(encoder).eval()
    with frozen(model.score_network):
        assert not model.score_network(Encoded(problem.x), problem.sample().y).requires_grad


@pytest.mark.parametrize("encoder", [OPEN, CONTINUED_OPEN])
def test_gradients_reach_the_task_network_through_h_where_wanted(build, problem, encoder):
    model = build(encoder).eval()
    y, x = problem.sample().y, Encoded(problem.x)
    weight = model.task_network.encoder.feedforward._linear_layers[0].weight
    with frozen(model.score_network):
        (gradient,) = torch.autograd.grad(model.score_network(x, y).sum(), weight)
    step, values = 1e-6, []
    with torch.no_grad():
        for change in (step, -2 * step):
            weight[2, 3] += change
            values.append(model.score_network(problem.x, y).sum())
    torch.testing.assert_close(gradient[2, 3], (values[0] - values[1]) / (2 * step))


@pytest.mark.parametrize("encoder", [TASK, OPEN])
def test_the_loss_of_the_task_network_reaches_it_through_h_where_wanted(build, problem, encoder):
    model = build(encoder).eval()
    score, parameters = model.score_network, list(model.task_network.encoder.parameters())

    def relaxed(x):
        return model.output_space.normalize(model.task_network(x)).unsqueeze(1)

    x = Encoded(problem.x)
    with frozen(score):
        gradients = torch.autograd.grad(score(x, relaxed(x)).sum(), parameters)
    with torch.no_grad():
        h, y = model.task_network.encoder(problem.x), relaxed(problem.x)

    def scored(h, y):
        terms = (term.encode(problem.x, h, None) for term in score.structured_scores)
        return score.score((score.projection(h), *terms), y, None).sum()

    expected = torch.autograd.grad(scored(h, relaxed(problem.x)), parameters)
    if encoder == OPEN:
        through_h = torch.autograd.grad(
            scored(model.task_network.encoder(problem.x), y), parameters
        )
        expected = [sum(pair) for pair in zip(expected, through_h, strict=True)]
    for gradient, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, other)


def test_the_step_of_the_score_network_does_not_change_the_task_network(build, problem):
    for encoder in (TASK, OPEN):
        model = build(encoder)
        with model.optimizing("score_network"):
            model(problem.x, problem.labels)["loss"].backward()
        assert all(parameter.grad is None for parameter in model.task_network.parameters())
        gradients = [parameter.grad for parameter in model.score_network.parameters()]
        assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_rows_read_the_encoding_of_the_whole(build, problem):
    model = build(CONTINUED).eval()
    y = problem.sample().y
    calls = []
    model.task_network.encoder.register_forward_hook(lambda *call: calls.append(call))
    x = Encoded(problem.x, problem.mask)
    rows = x.rows(torch.tensor([2, 0]))
    whole = model.score_network(x, y, problem.mask)
    torch.testing.assert_close(model.score_network(rows, y[[2, 0]], rows.mask), whole[[2, 0]])
    assert len(calls) == 1


@pytest.mark.parametrize("encoder", [TASK, CONTINUED_OPEN])
def test_compiled_networks_compute_the_same(build, problem, encoder):
    model = build(encoder).eval()
    y = problem.sample().y
    expected = model.score_network(problem.x, y, problem.mask), model.task_network(problem.x)
    compile_parts(model)
    for x in (problem.x, Encoded(problem.x, problem.mask)):
        for _ in range(2):
            torch.testing.assert_close(model.score_network(x, y, problem.mask), expected[0])
            torch.testing.assert_close(model.task_network(Encoded.input(x)), expected[1])


def test_it_needs_a_task_network(tiny_model):
    with pytest.raises(ConfigurationError, match="key 'task_network' of TaskNetworkEncoder"):
        tiny_model(
            "{score_network: {encoder: {type: 'task-network'}}, loss: 'score', sampler: 'random'}"
        )


@pytest.mark.parametrize("encoder", [TASK, CONTINUED])
@pytest.mark.parametrize("space", ["binary", "categorical", "image"])
def test_it_serves_every_space(encoder, space):
    problem = make_test_problem(space=space)
    score_network = problem.build(ScoreNetwork, f"{{encoder: {encoder}}}")
    size = score_network.encoder.output_size
    assert size == (3 if encoder == CONTINUED else problem.task_network.encoder.output_size)
    assert score_network(problem.x, problem.truth, problem.mask).shape == (3, 1)


@pytest.mark.parametrize("method", ["inference_network", "seal_dynamic_nce"])
def test_shipped_methods_train_on_the_encoding_of_the_task_network(method, tmp_path):
    path = ROOT / "training_configs" / "multi_label" / "digits" / f"{method}.jsonnet"
    config = config_of(path)
    config["model"]["score_network"] = evaluate_jsonnet(
        f"{{encoder: {TASK}, structured_scores: {TERMS}}}"
    )
    config["trainer"].update(num_epochs=1)
    config["evaluate_on_test"] = False
    model = train_model(Params(copy.deepcopy(config)), str(tmp_path))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 < metrics["validation_example_f1"] <= 1
    assert all(math.isfinite(v) for v in metrics.values() if isinstance(v, float))
    # The archive holds the weights of the task network once, and scores as the model does.
    loaded = load_archive(tmp_path / "model.tar.gz").model.eval()
    assert not any("task_network" in key for key in loaded.score_network.state_dict())
    x = torch.rand(3, loaded.task_network.encoder.input_size)
    y = (torch.rand(3, 2, loaded.task_network.output_size) < 0.5).float()
    with torch.no_grad():
        assert torch.equal(loaded.score_network(x, y), model.eval().score_network(x, y))
