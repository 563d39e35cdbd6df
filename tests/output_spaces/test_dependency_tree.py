"""Output space dependency-tree, against all trees of short sentences."""

import itertools

import numpy as np
import pytest
import torch
from all_trees import all_trees
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.losses import Loss
from structured_energy.output_spaces import DependencyTreeOutputSpace
from structured_energy.samplers import Sampler
from structured_energy.score_networks import ScoreNetwork
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import make_test_problem

KINDS = list(itertools.product((True, False), (True, False)))
kinds = pytest.mark.parametrize(("single_root", "projective"), KINDS)
RELATIONS = 2


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def space_of(*kind, relations=RELATIONS):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for number in range(relations):
        vocab.add_token_to_namespace(f"relation_{number}", "labels")
    return DependencyTreeOutputSpace(vocab, *kind)


def outputs_of(space, n):
    """All labels `(number of trees, n)` of n tokens."""
    trees = all_trees(n, space.single_root, space.projective)
    rows = [
        1 + trees * space.num_relations + torch.tensor(relations)
        for relations in itertools.product(range(space.num_relations), repeat=n)
    ]
    return torch.cat(rows)


def marked(space, lengths, scale=1.0):
    size = max(lengths)
    logits = scale * torch.randn(len(lengths), size, (size + 1) * space.num_relations)
    mask = torch.arange(size) < torch.tensor(lengths).unsqueeze(1)
    return space.with_mask(logits, mask), mask


@kinds
def test_the_distribution_is_that_of_all_trees(single_root, projective):
    space = space_of(single_root, projective)
    logits, mask = marked(space, (3, 2, 1))
    draws = space.sample(logits, 4000)
    means = space.means(logits)
    assert space.contains(draws) and space.contains(means.unsqueeze(1))
    for row, length in enumerate((3, 2, 1)):
        labels = torch.zeros(len(outputs_of(space, length)), 3, dtype=torch.long)
        labels[:, :length] = outputs_of(space, length)
        y = space.encode(labels)[:, 0].unsqueeze(0)
        own, known = logits[[row]].unsqueeze(1), mask[[row]]
        for with_mask in (None, known):
            log_prob = space.log_prob(own, y, with_mask)[0]
            torch.testing.assert_close(log_prob.logsumexp(0), torch.tensor(0.0))
        scores = (y[0] * logits[row].masked_fill(~mask[row].unsqueeze(1), 0.0)).sum((1, 2))
        torch.testing.assert_close(log_prob, scores.log_softmax(0))
        expected = (log_prob.exp().view(-1, 1, 1) * y[0]).sum(0)
        torch.testing.assert_close(means[row], expected)
        np.testing.assert_allclose(draws[row].mean(0), expected, atol=0.035)
        assert torch.equal(space.decode(logits)[row], labels[log_prob.argmax()])


@kinds
def test_decoding_is_the_nearest_tree(single_root, projective):
    space = space_of(single_root, projective)
    labels = outputs_of(space, 3)
    corners = space.encode(labels)[:, 0].flatten(1)
    y = space.normalize(2 * torch.randn(40, 3, 8))
    nearest = torch.cdist(y.flatten(1), corners).argmin(1)
    assert torch.equal(space.decode(y), labels[nearest])


@kinds
def test_moves_lead_to_all_trees_that_differ_in_one_arc(single_root, projective):
    space = space_of(single_root, projective)
    labels = outputs_of(space, 3)
    for own in labels[:: len(labels) // 7]:
        y = space.encode(own.unsqueeze(0))
        changes = space.move_changes(y, torch.zeros_like(y))
        moved = {
            tuple(space.decode(space.move(y, torch.tensor([[index.item()]]))[0][:, 0])[0].tolist())
            for index in changes[0, 0].isfinite().nonzero()
        }
        assert moved == {tuple(other.tolist()) for other in labels if (other != own).sum() == 1}


@kinds
def test_redrawn_trees_keep_the_other_arcs(single_root, projective):
    space = space_of(single_root, projective)
    y = space.encode(outputs_of(space, 3)[[5]]).expand(1, 3000, 3, 8)
    assert torch.equal(space.perturb(y, 0.0), y)
    whole = space.decode(space.perturb(y, 1.0)[0])
    trees = {tuple(row.tolist()) for row in outputs_of(space, 3)}
    assert {tuple(row.tolist()) for row in whole} == trees
    rate = torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 3, 1)
    part = space.perturb(y, rate)
    assert torch.equal(part[:, :, 1:], y[:, :, 1:])
    others = [row for row in trees if row[1:] == tuple(space.decode(y[0, :1])[0, 1:].tolist())]
    assert {tuple(row.tolist()) for row in space.decode(part[0])} == set(others)


def test_marks_of_padding_pass_through_every_step():
    space = space_of()
    logits, mask = marked(space, (4, 1, 3), scale=1e4)
    every = logits.unsqueeze(1)
    for y in (
        space.normalize(every),
        space.normalize(every / 100),
        space.normalize(space.zeros_like(every)),
        space.project(space.zeros_like(every)),
        space.project(
            space.normalize(every) - 0.3 * mask[:, None, :, None] * torch.randn(3, 1, 4, 10)
        ),
        space.random(every),
        space.smooth(space.normalize(every), 0.3),
        space.normalize(space.logits_of(space.normalize(every))),
        space.sample(logits, 2),
        space.sample(logits, 2, temperature=0.5),
        space.perturb(space.sample(logits, 2), 0.5),
        space.encode(space.decode(space.normalize(logits))),
    ):
        assert space.contains(y)
        assert torch.equal(
            space.decode(y.flatten(0, 1)).view(*y.shape[:3]) > 0,
            mask.unsqueeze(1).expand(y.shape[:3]),
        )


def test_data_without_relations_have_the_shape_of_arcs():
    space = space_of(relations=0)
    assert space.encode(torch.tensor([[2, 1]])).shape == (1, 1, 2, 3)
    assert space.readable(torch.tensor([[3, 1, 0]]), torch.zeros(1, 3, 4), []) == [
        {"heads": [2, 0]}
    ]


def test_padding_changes_no_prediction_and_no_loss():
    problem = make_test_problem(space="dependencies")
    problem.task_network.eval(), problem.score_network.eval()
    short = {"tokens": {"tokens": problem.x["tokens"]["tokens"][2:, :2]}}
    labels = problem.labels[2:, :2]
    for base, configs in {
        Sampler: ["'inference-network'", "'gradient-based-inference'", "'exact'", "'uniform'"],
        Loss: [
            "'cross-entropy'",
            "'exact-likelihood'",
            "{type: 'nce-ranking', correct_for_proposal: false}",
        ],
    }.items():
        for config in configs:
            results = []
            for x, of_x in (
                (problem.x, problem.labels.masked_fill(~problem.mask, 0)),
                (short, labels),
            ):
                mask, size = of_x > 0, of_x.shape[1]
                if base is Sampler:
                    y = problem.build(base, config)(x, None, mask).y[-1:, :, :2]
                    results.append(y.unflatten(3, (size + 1, 3))[..., :3, :])
                    continue
                sampler = problem.build(Sampler, "'network-draws'")
                torch.manual_seed(1)
                truth = problem.output_space.encode(of_x)
                sample = sampler.sample(x, truth, mask)
                loss = problem.build(base, config).unreduced(
                    x,
                    truth,
                    sample._replace(y=truth, log_prob=None, logits=sample.logits[:, :1]),
                    mask,
                )
                results.append(loss[-1])
            torch.testing.assert_close(*results)


@kinds
def test_the_likelihood_is_that_of_all_trees(single_root, projective):
    problem = make_test_problem(space="dependencies")
    space = problem.output_space
    space.single_root, space.projective = single_root, projective
    loss = problem.build(Loss, "'exact-likelihood'")
    sample = problem.build(Sampler, "'exact'")(problem.x, None, problem.mask)
    value = loss.unreduced(problem.x, problem.truth, sample, problem.mask)
    for row in range(3):
        length = int(problem.mask[row].sum())
        labels = torch.zeros(len(outputs_of(space, length)), 4, dtype=torch.long)
        labels[:, :length] = outputs_of(space, length)
        y = space.encode(labels)[:, 0].unsqueeze(0).repeat(3, 1, 1, 1)
        scores = problem.score_network(problem.x, y, problem.mask)[row]
        truth = problem.score_network(problem.x, problem.truth, problem.mask)[row, 0]
        torch.testing.assert_close(value[row, 0], scores.logsumexp(0) - truth)
        assert torch.equal(space.decode(sample.y[row])[0], labels[scores.argmax()])


def test_a_true_tree_that_is_no_output_counts_as_the_nearest_one():
    problem = make_test_problem(space="dependencies")
    space = problem.output_space
    space.projective = True
    loss = problem.build(Loss, "'exact-likelihood'")
    size = space.num_relations
    crossing = 1 + torch.tensor([3, 0, 2, 1]) * size  # the arcs of the first and of the second word
    wrong = (outputs_of(space, 4) != crossing).sum(1)

    def value(labels):
        truth = space.encode(torch.cat([labels.unsqueeze(0), problem.labels[1:]]), problem.dtype)
        return loss.unreduced(problem.x, truth, problem.sample(), problem.mask)[0, 0]

    result = value(crossing)
    nearest = [value(labels) for labels in outputs_of(space, 4)[wrong == wrong.min()]]
    assert any(torch.isclose(result, each) for each in nearest) and wrong.min() > 0


@kinds
def test_the_best_outputs_are_those_of_all_trees(single_root, projective):
    problem = make_test_problem(space="dependencies")
    space = problem.output_space
    space.single_root, space.projective = single_root, projective
    problem.mask[1, 1:] = False
    y = problem.build(Sampler, "{type: 'exact', num_samples: 5}")(problem.x, None, problem.mask).y
    scores = problem.score_network(problem.x, y, problem.mask)
    for row in range(3):
        length = int(problem.mask[row].sum())
        labels = torch.zeros(len(outputs_of(space, length)), 4, dtype=torch.long)
        labels[:, :length] = outputs_of(space, length)
        every = space.encode(labels)[:, 0].unsqueeze(0).repeat(3, 1, 1, 1)
        expected = problem.score_network(problem.x, every, problem.mask)[row]
        best = expected.sort(descending=True).values[:5]
        torch.testing.assert_close(scores[row, : len(best)], best)
        found = space.decode(y[row])
        assert len(found.unique(dim=0)) == len(best)
        # A sentence of one word has a tree for each of the three relations.
        assert length > 1 or (found[3:] == found[2]).all()


def test_what_does_not_fit_is_refused():
    problem = make_test_problem(space="dependencies")
    with pytest.raises(ConfigurationError, match="num_samples 1 with the kind 'means'"):
        problem.build(Sampler, "{type: 'exact', num_samples: 3, kind: 'means'}")
    embedding = "{type: 'embedding', embedding_dim: 5}"
    encoder = f"{{type: 'tokens', embedder: {{token_embedders: {{tokens: {embedding}}}}}}}"
    with pytest.raises(ConfigurationError, match="the projection 'biaffine' .* got 'linear'"):
        problem.build(TaskNetwork, f"{{type: 'encoder', encoder: {encoder}, projection: 'linear'}}")
    tags = make_test_problem(space="categorical")
    with pytest.raises(ConfigurationError, match="the projection 'linear' .* got 'biaffine'"):
        tags.build(TaskNetwork, f"{{type: 'encoder', encoder: {encoder}, projection: 'biaffine'}}")
    with pytest.raises(ConfigurationError, match="'dependency-tree' for .* SiblingScore"):
        tags.build(
            ScoreNetwork,
            f"{{type: 'encoder', encoder: {encoder}, structured_scores: ['sibling']}}",
        )
