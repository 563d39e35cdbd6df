"""Weights of labels in the cross-entropy, against torch and scikit-learn."""

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.fields import TensorField
from allennlp.models.archival import load_archive
from sklearn.utils.class_weight import compute_class_weight
from snippets import network
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from structured_energy.losses import BalancedWeights, CrossEntropyLoss
from structured_energy.models.label_counts import fit_label_weights
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput
from structured_energy.testing import (
    data_config,
    evaluate_jsonnet,
    make_test_problem,
    merged,
    train_snippet,
)

SPACE = BinaryOutputSpace()


@pytest.mark.parametrize("weights", [2.5, [1.0, 0.0, 3.0, 7.0]])
def test_sets_of_labels_are_weighted_as_by_torch(weights):
    torch.manual_seed(0)
    logits = torch.randn(6, 1, 4, dtype=torch.float64, requires_grad=True)
    truth = (torch.rand(6, 1, 4) < 0.5).double()
    mask = torch.rand(6, 4) < 0.7
    loss = CrossEntropyLoss(SPACE, weights, reduction="none")
    result = loss(None, truth, SamplerOutput(logits.sigmoid(), logits), mask)
    expected = binary_cross_entropy_with_logits(
        logits[:, 0],
        truth[:, 0],
        pos_weight=torch.tensor(weights, dtype=torch.float64),
        reduction="none",
    )
    torch.testing.assert_close(result[:, 0], (expected * mask).sum(1))
    gradients = [torch.autograd.grad(of.sum(), logits) for of in (result, expected * mask)]
    torch.testing.assert_close(*gradients)


def test_tags_are_weighted_as_by_torch():
    problem = make_test_problem(space="categorical")
    count = problem.truth.shape[-1]
    weights = [0.5 + tag for tag in range(count)]
    sample = problem.sample(1)
    loss = CrossEntropyLoss(problem.output_space, weights, reduction="none")
    expected = cross_entropy(
        sample.logits[:, 0].transpose(1, 2),
        problem.labels,
        weight=torch.tensor(weights, dtype=torch.float64),
        reduction="none",
    )
    torch.testing.assert_close(
        loss(problem.x, problem.truth, sample, problem.mask)[:, 0], (expected * problem.mask).sum(1)
    )


def test_balanced_weights_of_labels():
    balanced = BalancedWeights(SPACE, limit=4.0)
    balanced.fit(torch.tensor([1.0, 5, 8, 0, 10]), torch.full((5,), 10.0))
    assert balanced.weights.tolist() == [4.0, 1.0, 0.25, 1.0, 1.0]
    unlimited = BalancedWeights(SPACE)
    unlimited.fit(torch.tensor([1.0, 8]), torch.tensor([10.0, 10]))
    assert unlimited.weights.tolist() == [9.0, 0.25]


def test_balanced_weights_of_tags_are_those_of_scikit_learn():
    problem = make_test_problem(space="categorical", batch_size=50)
    space = problem.output_space
    balanced = BalancedWeights(space)
    ones = torch.ones_like(problem.truth)
    balanced.fit(
        space.label_mass(problem.truth, problem.mask), space.label_mass(ones, problem.mask)
    )
    tags = problem.labels[problem.mask].numpy()
    expected = compute_class_weight(
        "balanced", classes=torch.arange(problem.truth.shape[-1]).numpy(), y=tags
    )
    torch.testing.assert_close(balanced.weights.double(), torch.tensor(expected), rtol=1e-5, atol=0)


class Rows:
    """A loader of the labels, and the mask where there is one, of a problem."""

    def __init__(self, problem):
        self.problem = problem

    def iter_instances(self):
        for row, labels in enumerate(self.problem.labels):
            fields = {"labels": TensorField(labels)}
            if self.problem.mask is not None:
                fields["mask"] = TensorField(self.problem.mask[row])
            yield Instance(fields)


@pytest.mark.parametrize("space", ["binary", "categorical", "image"])
def test_labels_are_counted_where_they_are_known(space):
    problem = make_test_problem(space=space, batch_size=30)
    loss = CrossEntropyLoss(problem.output_space, "balanced")
    fit_label_weights(loss, problem.output_space, problem.vocab, Rows(problem))
    known = problem.labels[problem.mask]
    if space == "image":  # one weight for all pixels
        expected = (~known).sum() / known.sum()
    elif space == "categorical":
        tags = range(problem.truth.shape[-1])
        expected = torch.stack([len(known) / (len(tags) * (known == tag).sum()) for tag in tags])
    else:
        on = problem.labels & problem.mask
        expected = (problem.mask & ~on).sum(0) / on.sum(0)
    torch.testing.assert_close(loss.balanced.weights, expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("pos_weight", "limit", "message"),
    [
        ("balance", None, "got 'balance'"),
        (2.0, 3.0, "only beside 'balanced'.*got 2.0 and 3.0"),
        ("balanced", 0.5, "a limit of at least 1"),
        ([1.0, -1.0], None, "at least 0 .*got -1"),
    ],
)
def test_bad_weights_are_named(pos_weight, limit, message):
    with pytest.raises(ConfigurationError, match=message):
        CrossEntropyLoss(SPACE, pos_weight, limit)


def test_weights_fit_the_labels_and_are_fitted(problem):
    sample = problem.sample()
    with pytest.raises(ValueError, match="a weight for each of 4 labels .*got 2"):
        CrossEntropyLoss(SPACE, [1.0, 2.0])(problem.x, problem.truth, sample)
    with pytest.raises(ValueError, match="fitted to training data"):
        CrossEntropyLoss(SPACE, "balanced")(problem.x, problem.truth, sample)


SNIPPET = f"""{{
  model: {{
    type: 'structured-energy', output_space: 'binary', task_network: {network()},
    sampler: {{
      type: 'inference-network', loss: {{type: 'cross-entropy', pos_weight: 'balanced'}},
    }},
  }},
  trainer: {{type: 'minimax', optimizer: 'adam', num_epochs: 1}},
}}"""


def test_balanced_weights_are_those_of_the_training_data_and_are_saved(tmp_path):
    model = train_snippet(SNIPPET, tmp_path)
    weights = model.sampler.loss.balanced.weights
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    torch.testing.assert_close(archive.model.sampler.loss.balanced.weights, weights)
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(SNIPPET))
    rows = list(archive.dataset_reader.read(config["train_data_path"]))
    for instance in rows:
        instance.index_fields(model.vocab)
    labels = torch.stack(
        [row["labels"].as_tensor(row["labels"].get_padding_lengths()) for row in rows]
    )
    positives = labels.double().sum(0)
    torch.testing.assert_close(weights.double(), (len(rows) - positives) / positives)

    # A model that is trained further keeps its weights.
    class Loader:
        def iter_instances(self):
            raise AssertionError("read again")

    fit_label_weights(archive.model, SPACE, model.vocab, Loader())


def test_balanced_weights_are_recovered(tmp_path):
    whole = train_snippet(SNIPPET, tmp_path, {"trainer": {"num_epochs": 2}})
    (tmp_path / "run" / "model.tar.gz").unlink()
    for path in (tmp_path / "run").glob("*_state_e2_*.th"):
        path.unlink()  # as if the run was killed in its last epoch
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(SNIPPET))
    config["trainer"]["num_epochs"] = 2
    resumed = train_model(Params(config), str(tmp_path / "run"), recover=True)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0, msg=name)
