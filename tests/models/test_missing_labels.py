"""Labels that are not known: no loss, metric or sampler depends on them, and no prediction on
which ones they are."""

import copy

import pytest
import torch
from allennlp.common import Params
from allennlp.models import Model

from structured_energy.testing import make_test_problem

FEEDFORWARD = {"num_layers": 1, "hidden_dims": 4, "activations": "softplus"}
NETWORK = {"encoder": {"type": "feedforward", "feedforward": FEEDFORWARD}}
SCORE = {**NETWORK, "structured_scores": [{"type": "feedforward", "feedforward": FEEDFORWARD}]}
DESCENT = {"type": "gradient-based-inference", "num_steps": 3}
MODELS = {
    "cross-entropy": {"sampler": {"type": "inference-network", "loss": "cross-entropy"}},
    "inference network": {
        "loss": "margin-based",
        "sampler": {
            "type": "inference-network",
            "loss": "inference",
            "cost_augmented_network": {"feedforward": FEEDFORWARD},
        },
    },
    "value network": {
        "loss": "value-regression",
        "sampler": {**DESCENT, "adversarial": "value-regression", "truth_rate": 0.5},
    },
    "perturbed truth": {
        "loss": "value-regression",
        "sampler": {"type": "perturbed-truth", "num_samples": 3},
        "inference": DESCENT,
    },
    "noise": {
        "loss": "nce-ranking",
        "sampler": {"type": "network-draws", "num_samples": 3, "loss": "minimum-risk"},
        "inference": "inference-network",
    },
    "policy gradient": {
        "loss": "nce-binary",
        "sampler": {"type": "network-draws", "num_samples": 3, "loss": "policy-gradient"},
        "inference": "inference-network",
    },
    "pseudo-likelihood": {
        "loss": "pseudo-likelihood",
        "sampler": "ground-truth",
        "inference": {"type": "gibbs-with-gradients", "num_steps": 2},
    },
    "contrastive divergence": {
        "loss": "contrastive-divergence",
        "sampler": {"type": "langevin", "num_steps": 2, "truth_rate": 1.0, "buffer_size": 5},
        "inference": DESCENT,
    },
}
METRICS = ["example-f1", "micro-f1", "macro-f1", "hamming-loss", "map-example", "map-label"]


def build(name, problem):
    torch.manual_seed(0)
    config = {
        "type": "structured-energy",
        "output_space": "binary",
        "task_network": NETWORK,
        "score_network": SCORE,
        "oracle_value": "per-instance-f1",
        "metrics": METRICS,
        "decoder": {"type": "threshold", "candidates": 9},
        **MODELS[name],
    }
    return Model.from_params(Params(copy.deepcopy(config)), vocab=problem.vocab)


def observed(name, problem, labels, mask):
    """The losses and gradients of training, the losses and metrics of validation."""
    model = build(name, problem)
    torch.manual_seed(1)
    loss = model(problem.x, labels, mask)["loss"]
    loss.backward()
    values = [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]
    model.eval()
    with model.fitting():
        values.append(model(problem.x, labels, mask)["loss"].detach())
    values += [torch.tensor(value) for value in model.get_metrics(reset=True).values()]
    return values


def with_mask(problem):
    mask = torch.rand(problem.labels.shape) < 0.6
    mask[0] = False
    return mask


@pytest.mark.parametrize("name", MODELS)
def test_values_of_unknown_labels_change_nothing(name):
    problem = make_test_problem(dtype=torch.float32)
    mask = with_mask(problem)
    first = observed(name, problem, problem.labels, mask)
    second = observed(name, problem, problem.labels ^ ~mask, mask)
    assert len(first) == len(second) > 5
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    # The test sees the labels: those that are known do change the losses.
    third = observed(name, problem, problem.labels ^ mask, mask)
    assert not torch.equal(first[0], third[0])


@pytest.mark.parametrize("name", MODELS)
def test_predictions_do_not_depend_on_which_labels_are_known(name):
    problem = make_test_problem(dtype=torch.float32)
    model = build(name, problem).eval()
    outputs = []
    for mask in (None, with_mask(problem)):
        torch.manual_seed(1)
        outputs.append(model(problem.x, mask=mask))
    assert torch.equal(outputs[0]["probabilities"], outputs[1]["probabilities"])
    readable = [model.make_output_human_readable(output) for output in outputs]
    assert readable[0]["labels"] == readable[1]["labels"]
    assert len(readable[1]["probabilities"][0]) == problem.labels.shape[1]


def test_the_cross_entropy_is_that_of_the_known_labels():
    problem = make_test_problem(dtype=torch.float32)
    model, mask = build("cross-entropy", problem), with_mask(problem)
    logits = model.task_network(problem.x)
    terms = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, problem.labels.float(), reduction="none"
    )
    expected = sum(terms[i, j] for i, j in mask.nonzero().tolist()) / len(logits)
    torch.testing.assert_close(model(problem.x, problem.labels, mask)["loss"], expected)
