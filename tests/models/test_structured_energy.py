"""The model: predictions without labels, one owner of each parameter, gradients kept apart."""

import pytest
import torch
from allennlp.common import Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model
from component_names import names_of

from structured_energy.losses import Loss
from structured_energy.models import StructuredEnergyModel
from structured_energy.networks import frozen, hand_down, partition
from structured_energy.oracle_values import OracleValue
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler
from structured_energy.task_networks import TaskNetwork

FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus', dropout: 0.5}"
NETWORKS = f"""
  oracle_value: 'per-instance-f1',
  task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
  score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
  metrics: ['example-f1', 'map-label'],
"""
COST_AUGMENTED = f"cost_augmented_network: {{feedforward: {FEEDFORWARD}}}"
# Every registered sampler in training; those that cannot predict have another one for that.
SAMPLERS = {
    "inference-network": "sampler: {type: 'inference-network', loss: 'inference'}",
    "cost-augmented": (
        f"sampler: {{type: 'inference-network', loss: 'inference', {COST_AUGMENTED}}}"
    ),
    "ground-truth": "sampler: 'ground-truth', inference: 'inference-network'",
    "perturbed-truth": "sampler: 'perturbed-truth', inference: 'inference-network'",
    "appending-container": (
        "sampler: {type: 'appending-container', constituents: ['ground-truth', "
        "'inference-network']}, inference: 'inference-network'"
    ),
    "network-draws": "sampler: {type: 'network-draws', num_samples: 3}",
    "network-draws-and-inference": (
        "sampler: {type: 'network-draws', num_samples: 3}, "
        "inference: {type: 'inference-network', loss: 'score'}"
    ),
    "tempered-draws": (
        "sampler: {type: 'tempered-draws', num_samples: 4, temperatures: [1, 2]}, "
        "inference: 'inference-network'"
    ),
    "likely-subsets": (
        "sampler: {type: 'likely-subsets', among: 3, largest: 2}, inference: 'inference-network'"
    ),
    "most-probable": (
        "sampler: {type: 'most-probable', num_samples: 3}, inference: 'inference-network'"
    ),
    "random": "sampler: 'random', inference: 'inference-network'",
    "uniform": "sampler: 'uniform', inference: 'inference-network'",
    "gradient-based-inference": (
        "sampler: {type: 'gradient-based-inference', truth_rate: 0.5, adversarial: "
        "{type: 'negative', constituent: 'oracle-cost'}, start: 'inference-network'}"
    ),
    "random-picking-container": (
        "sampler: {type: 'random-picking-container', constituents: ['ground-truth', 'random']}, "
        "inference: {type: 'random-picking-container', constituents: ['random', "
        "'inference-network']}"
    ),
    "langevin": "sampler: {type: 'langevin', truth_rate: 0.5, metropolis: true}",
    "gibbs-with-gradients": "sampler: {type: 'gibbs-with-gradients', truth_rate: 1}",
    "best-of": "sampler: {type: 'best-of', constituents: ['random', 'inference-network']}",
}


def snippet(sampler="inference-network", more=""):
    return f"{{ {NETWORKS} loss: 'margin-based', {SAMPLERS[sampler]}, {more} }}"


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_every_registered_sampler_is_here():
    of_tags, of_images = {"exact", "constrained"}, {"mean-over-crops"}
    known = set(names_of(Sampler)) - of_tags - of_images
    assert all(any(name in text for text in SAMPLERS.values()) for name in known)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("training", [False, True])
def test_predictions_do_not_change_when_labels_do(tiny_model, problem, sampler, training):
    model = tiny_model(snippet(sampler, "training_metrics: true"))
    model.train(training)
    predictions = []
    for labels in (problem.labels, ~problem.labels, None):
        torch.manual_seed(0)
        predictions.append(model(problem.x, labels)["probabilities"])
    torch.testing.assert_close(predictions[0], predictions[1], rtol=0, atol=0)
    torch.testing.assert_close(predictions[0], predictions[2], rtol=0, atol=0)


@pytest.mark.parametrize("network", ["score_network", "task_network"])
def test_only_the_optimised_network_gets_a_gradient(tiny_model, problem, network):
    model = tiny_model(snippet("cost-augmented"))
    with model.optimizing(network):
        loss = model(problem.x, problem.labels)["loss"]
    loss.backward()
    for name, group in model.networks.items():
        for parameter_name, parameter in group:
            assert (parameter.grad is not None) == (name == network), parameter_name
            assert parameter.requires_grad


@pytest.mark.parametrize("sampler", ["cost-augmented", "network-draws-and-inference"])
def test_without_optimizing_the_loss_is_the_sum_with_gradients_apart(tiny_model, problem, sampler):
    model = tiny_model(snippet(sampler)).eval()
    model.train()
    for dropout in (m for m in model.modules() if isinstance(m, torch.nn.Dropout)):
        dropout.p = 0.0
    expected = {}
    total = 0.0
    for network, group in model.networks.items():
        torch.manual_seed(network == "task_network")  # as the sum, below, which draws but once
        with model.optimizing(network):
            loss = model(problem.x, problem.labels)["loss"]
        total += loss.item()
        names, parameters = zip(*group, strict=True)
        gradients = torch.autograd.grad(loss, parameters)
        expected.update(zip(names, gradients, strict=True))
    torch.manual_seed(0)
    loss = model(problem.x, problem.labels)["loss"]
    loss.backward()
    assert loss.item() == pytest.approx(total)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], msg=name)


def test_the_loss_of_the_inference_trains_the_task_network(tiny_model, problem):
    model = tiny_model(snippet("network-draws-and-inference"))
    assert model.losses["task_network"] is model.inference.loss
    for dropout in (m for m in model.modules() if isinstance(m, torch.nn.Dropout)):
        dropout.p = 0.0
    with model.optimizing("task_network"):
        loss = model(problem.x, problem.labels)["loss"]
    y = model.output_space.normalize(model.task_network(problem.x)).unsqueeze(1)
    torch.testing.assert_close(loss, -model.score_network(problem.x, y).mean())
    metrics = model.get_metrics()
    assert metrics["inference.loss.value"] == pytest.approx(loss.item())


def test_a_loss_of_the_task_network_in_two_places_is_named(tiny_model):
    both = SAMPLERS["inference-network"] + ", inference: {type: 'inference-network', loss: 'score'}"
    with pytest.raises(ConfigurationError, match="one in the sampler and one in the inference"):
        tiny_model(f"{{ {NETWORKS} loss: 'margin-based', {both} }}")


def test_a_sampler_knows_that_the_score_network_trains(tiny_model, problem):
    # Its own network is frozen then; the truth as a start, and unrolling, are of training.
    model = tiny_model(snippet("gradient-based-inference"))
    with model.optimizing("score_network"):
        assert model.sampler.training and not model.task_network.training


def test_dropout_of_the_frozen_network_is_off(tiny_model, problem):
    model = tiny_model(snippet())
    with model.optimizing("task_network"):
        assert not model.score_network.training
        assert model.task_network.training
        with frozen(model.task_network):
            assert not model.task_network.training
        assert model.task_network.training
    assert model.score_network.training


def test_the_features_of_x_are_computed_once_for_all_samplers_of_a_container(tiny_model, problem):
    descent = "{type: 'gradient-based-inference', num_steps: 3, log_key: '%s'}"
    constituents = f"[{descent % 'one'}, 'random', {descent % 'two'}]"
    model = tiny_model(
        f"{{ {NETWORKS} loss: 'value-regression', inference: 'inference-network', "
        f"sampler: {{type: 'appending-container', constituents: {constituents}}} }}"
    )
    calls = []
    model.score_network.encoder.register_forward_hook(lambda *call: calls.append(call))
    with model.optimizing("score_network"):
        model(problem.x, problem.labels)["loss"].backward()
    assert len(calls) == 2  # once for the samplers, without dropout, once for the loss


def test_frozen_leaves_what_was_frozen_before():
    layer = torch.nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    with pytest.raises(RuntimeError), frozen(layer, None):
        assert not layer.weight.requires_grad
        raise RuntimeError
    assert layer.weight.requires_grad
    assert not layer.bias.requires_grad


def test_a_parameter_in_both_networks_or_in_neither_is_named(tiny_model, problem):
    model = tiny_model(snippet())
    model.score_network.projection.weight = model.task_network.projection.weight
    parts = {"score_network": [model.score_network], "task_network": [model.task_network]}
    with pytest.raises(ConfigurationError, match=r"projection.weight' in both networks"):
        partition(model, parts)
    model = tiny_model(snippet())
    parts = {"score_network": [model.score_network], "task_network": [model.task_network]}
    model.extra = torch.nn.Linear(1, 1)
    with pytest.raises(ConfigurationError, match="'extra.weight' in neither network"):
        partition(model, parts)


def test_metrics_are_floats_with_dotted_names_and_reset(tiny_model, problem):
    model = tiny_model(snippet("cost-augmented", "decoder: 'threshold'")).eval()
    assert model.get_metrics() == {}
    with torch.no_grad(), model.fitting():
        model(problem.x, problem.labels)
    metrics = model.get_metrics(reset=True)
    assert {"example_f1", "map_label", "decoder.threshold"} < metrics.keys()
    assert {"loss.oracle_cost", "sampler.loss.value"} < metrics.keys()
    assert all(type(value) is float for value in metrics.values())
    assert model.get_metrics() == {}


def test_metrics_follow_the_fitted_decoder(tiny_model, problem):
    model = tiny_model(snippet("inference-network", "decoder: 'threshold'")).eval()
    with torch.no_grad(), model.fitting():
        prediction = model(problem.x, problem.labels)["prediction"]
    tuned = model.get_metrics(reset=True)["example_f1"]
    metric = model.evaluation.metrics["example_f1"]
    probabilities = prediction.probabilities
    metric(probabilities, model.decoder.decode(prediction), problem.labels)
    assert metric.get_metric(reset=True) == tuned
    assert model.decoder.threshold != 0.5
    metric(probabilities, probabilities > 0.5, problem.labels)
    assert tuned >= metric.get_metric(reset=True)


def test_the_state_dictionary_holds_each_weight_once(tiny_model):
    model = tiny_model(snippet("cost-augmented"))
    tensors = [value.data_ptr() for value in model.state_dict().values()]
    assert len(tensors) == len(set(tensors))
    assert not any("task_network" in name for name in model.state_dict() if "sampler" in name)


def test_plain_assignment_does_not_hold_what_the_model_hands_down(tiny_model, problem):
    class LearnedValue(torch.nn.Module, OracleValue):
        def __init__(self, output_space):
            torch.nn.Module.__init__(self)
            OracleValue.__init__(self, output_space)
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def compute(self, truth, y, mask):
            return 1 - self.output_space.distance(y, truth, mask)

    class Plain(Sampler):
        def __init__(self, output_space, task_network, score_network, own: TaskNetwork):
            super().__init__(output_space)
            self.network, self.judge = task_network, score_network
            self.own = own

        def propose(self, x, truth, mask=None):
            logits = self.network(x, mask).unsqueeze(1)
            return SamplerOutput(self.output_space.normalize(logits), logits)

    class PlainLoss(Loss):
        def __init__(self, score_network, oracle_value):
            super().__init__()
            self.network, self.value = score_network, oracle_value

        def compute(self, x, truth, sample, mask):
            return self.network(x, sample.y, mask)

    Sampler.register("plain-for-test")(Plain)
    Loss.register("plain-for-test")(PlainLoss)
    try:
        own = f"{{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}}"
        model = tiny_model(
            f"{{ {NETWORKS} loss: 'plain-for-test', inference: 'inference-network', "
            f"sampler: {{type: 'plain-for-test', own: {own}}} }}"
        )
        sampler, loss = model.sampler, model.loss
        assert sampler.network is model.task_network and sampler.judge is model.score_network
        assert {name.split(".")[0] for name in sampler.state_dict()} == {"own"}
        assert not loss.state_dict()
        assert loss.value is model.oracle_value
        tensors = [value.data_ptr() for value in model.state_dict().values()]
        assert len(tensors) == len(set(tensors))
        model(problem.x, problem.labels)["loss"].backward()
        learned = hand_down(LearnedValue(problem.output_space))
        assert not list(PlainLoss(model.score_network, learned).parameters())
    finally:
        for base in (Sampler, Loss):
            del Registrable._registry[base]["plain-for-test"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("loss: {type: 'margin-based', reduction: 'none'}", "'none'"),
        ("metrics: ['boolean_accuracy']", "got BooleanAccuracy"),
        ("sampler: {type: 'inference-network', loss: 'cross_entropy'}", "cross_entropy"),
        ("thresold: 'tuned'", "Expected only keys of .*got .'thresold'"),
        (
            "sampler: {type: 'inference-network', loss: {type: 'combination', "
            "constituents: ['score', 'score']}}",
            "'sampler.loss.score.value'",
        ),
    ],
)
def test_bad_configs_are_named(tiny_model, more, message):
    override = (
        f"{{ {NETWORKS} loss: 'margin-based', {SAMPLERS['inference-network']} }} + {{ {more} }}"
    )
    with pytest.raises((ConfigurationError, ValueError), match=message):
        tiny_model(override)


def test_a_sampler_without_what_it_needs_is_named(problem):
    with pytest.raises(ConfigurationError, match="key 'task_network' of InferenceNetworkS"):
        Model.from_params(
            Params(
                {
                    "type": "structured-energy",
                    "output_space": "binary",
                    "sampler": "inference-network",
                }
            ),
            vocab=problem.vocab,
        )


def test_several_predictions_are_chosen_by_score(problem, tiny_model):
    model = tiny_model(snippet()).eval()
    y = (torch.rand(3, 5, 4) < 0.5).double()

    class Fixed(Sampler):
        def propose(self, x, truth, mask=None):
            return SamplerOutput(y)

    model.inference = Fixed(model.output_space)
    with torch.no_grad():
        chosen = model(problem.x)["probabilities"]
        scores = model.score_network(problem.x, y)
    expected = torch.stack([y[i, scores[i].argmax()] for i in range(3)])
    torch.testing.assert_close(chosen, expected)


def test_it_is_the_registered_model():
    assert Model.by_name("structured-energy") is StructuredEnergyModel


def test_a_recurrent_network_is_without_dropout_in_training_mode():
    """cuDNN computes no gradients of one in evaluation mode."""
    lstm = torch.nn.LSTM(3, 4, num_layers=2, dropout=0.5, batch_first=True)
    x = torch.randn(2, 5, 3)
    for mode in (True, False):
        lstm.train(mode)
        with frozen(lstm), frozen(lstm):
            assert lstm.training
            torch.testing.assert_close(lstm(x)[0], lstm(x)[0], rtol=0, atol=0)
        assert lstm.training == mode
        assert lstm.dropout == 0.5
