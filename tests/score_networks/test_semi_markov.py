"""Semi-Markov fields, against the sum over all segmentations."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.losses import Loss
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler
from structured_energy.score_networks import (
    Chain,
    Constraints,
    ScoreNetwork,
    SemiMarkovScore,
    StructuredScore,
)
from structured_energy.testing import make_test_problem

TAGS = ["I-X", "O", "B-Y", "B-X"]  # Y has segments of one token only
LABELS = ["O", "X", "Y"]
MAX_LENGTH = 2


@pytest.fixture
def problem():
    problem = make_test_problem(space="categorical")
    problem.vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in TAGS:
        problem.vocab.add_token_to_namespace(tag, "labels")
    for number in range(6):
        problem.vocab.add_token_to_namespace(f"word_{number}", "tokens")
    problem.output_space = type(problem.output_space)(problem.vocab)
    encoder = (
        "{type: 'tokens', embedder: {token_embedders: {tokens: "
        "{type: 'embedding', embedding_dim: 5}}}}"
    )
    problem.score_network = problem.build(
        ScoreNetwork,
        f"{{structured_scores: [{{type: 'semi-markov', max_length: {MAX_LENGTH}}}], "
        f"encoder: {encoder}}}",
    )
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in problem.score_network.parameters():
            parameter.normal_()
    return problem


def segmentations(length):
    """Yield all segmentations of a sentence: the label, the first token and the length of each."""
    if length == 0:
        yield []
    for label, longest in (("O", 1), ("X", MAX_LENGTH), ("Y", 1)):
        for last in range(1, min(longest, length) + 1):
            for before in segmentations(length - last):
                yield [*before, (label, length - last, last)]


def enumerated(problem, i):
    """Return all tags of a sentence with their scores by segments, the best first."""
    network, real = problem.score_network, problem.mask[i]
    term = network.structured_scores[0]
    potentials = network.potentials(problem.instance(i), problem.mask[[i]])[0, real]
    rows = []
    for segments in segmentations(int(real.sum())):
        tags, score = [], 0.0
        for label, start, length in segments:
            named = ["O"] if label == "O" else [f"B-{label}"] + [f"I-{label}"] * (length - 1)
            numbers = [TAGS.index(tag) for tag in named]
            score += sum(potentials[start + k, number] for k, number in enumerate(numbers))
            if label != "O":
                score += term.lengths[LABELS.index(label) - 1, length - 1]
            tags += numbers
        labels = [LABELS.index(label) for label, *_ in segments]
        score += term.start[labels[0]] + term.end[labels[-1]]
        score += sum(term.transitions[pair] for pair in itertools.pairwise(labels))
        rows.append((tags, score))
    rows.sort(key=lambda row: -float(row[1].detach()))
    tags = torch.zeros(len(rows), len(real), dtype=torch.long)
    tags[:, real] = torch.tensor([row for row, _ in rows])
    y = torch.nn.functional.one_hot(tags, len(TAGS)).to(problem.dtype)
    return y, torch.stack([score for _, score in rows])


def test_the_score_is_that_of_the_segments(problem):
    for i in range(3):
        y, scores = enumerated(problem, i)
        own = problem.score_network(problem.instance(i), y.unsqueeze(0), problem.mask[[i]])[0]
        torch.testing.assert_close(own, scores)


def test_the_score_is_multilinear_in_relaxed_outputs(problem):
    term = problem.score_network.structured_scores[0]
    relaxed = torch.rand(1, 1, 3, len(TAGS), dtype=problem.dtype)
    relaxed = relaxed / relaxed.sum(-1, keepdim=True)
    every = torch.tensor(list(itertools.product(range(len(TAGS)), repeat=3)))
    y = torch.nn.functional.one_hot(every, len(TAGS)).to(problem.dtype)
    p = (relaxed[0] * y).sum(-1).prod(-1)
    torch.testing.assert_close(term(relaxed)[0, 0], (p * term(y.unsqueeze(0))[0]).sum())


@pytest.mark.parametrize("tags", [TAGS, ["B-X", "I-X", "B-Y"], ["O", "I-Z", "B-X", "I-X", "I-Y"]])
def test_messages_of_segments_are_those_of_all_pairs_of_states(problem, tags):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in tags:
        vocab.add_token_to_namespace(tag, "labels")
    term = SemiMarkovScore(vocab, max_length=3).double()
    count = len(term.states.tags)
    torch.manual_seed(1)
    potentials = torch.randn(3, 6, count, dtype=torch.double, requires_grad=True)
    mask = torch.ones(3, 6, dtype=torch.bool)
    mask[0, 4:], mask[1, 2], mask[2, 0] = False, False, False
    transitions, start, end, constraints = term.expanded()
    slow = Chain(potentials, transitions, start, end, mask).constrained(constraints)
    quick = slow._replace(follow=term.follow)
    assert quick.best()[mask].equal(slow.best()[mask])
    torch.testing.assert_close(quick.probabilities(), slow.means().tags)
    torch.testing.assert_close(quick.means(), slow.means())
    inputs = (potentials, *term.parameters())
    gradients = []
    for chain in (quick, slow):
        total = chain.log_partition()
        gradients.append((total, *torch.autograd.grad(total.sum(), inputs, retain_graph=True)))
    torch.testing.assert_close(*gradients)
    without = Constraints(*(torch.zeros_like(each) for each in constraints))
    assert quick.constrained(without).follow is None


def test_inference_and_likelihood_are_exact(problem):
    samples = {
        name: problem.build(Sampler, config).sample(problem.x, None, problem.mask)
        for name, config in {
            "best": "'exact'",
            "four": "{type: 'exact', num_samples: 4}",
            "means": "{type: 'exact', kind: 'means'}",
            "draws": "{type: 'exact', kind: 'draws', num_samples: 4000, seed: 1}",
            "constrained": "{type: 'constrained', constituent: 'exact', unique: ['X']}",
        }.items()
    }
    loss = problem.build(Loss, "'exact-likelihood'")
    rows = [enumerated(problem, i) for i in range(3)]
    truth = torch.stack([y[-1] for y, _ in rows]).unsqueeze(1)
    likelihood = loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask)[:, 0]
    for i, real in enumerate(problem.mask):
        y, scores = rows[i]
        log_prob = scores.log_softmax(0)
        assert samples["best"].y[i, 0, real].equal(y[0, real])
        assert samples["four"].y[i][:, real].equal(y[:4, real])
        means = (log_prob.exp().view(-1, 1, 1) * y)[:, real].sum(0)
        torch.testing.assert_close(samples["means"].y[i, 0, real], means, atol=1e-5, rtol=0)
        same = (samples["draws"].y[i][:, None, real] == y[None, :, real]).flatten(2).all(2)
        assert same.any(1).all()
        torch.testing.assert_close(samples["draws"].log_prob[i], log_prob[same.int().argmax(1)])
        assert (same.to(means.dtype).mean(0) - log_prob.exp()).abs().sum() < 0.15
        torch.testing.assert_close(likelihood[i], -log_prob[-1])
        once = next(each for each in y if each[real][:, TAGS.index("B-X")].sum() < 2)
        assert samples["constrained"].y[i, 0, real].equal(once[real])
    likelihood.mean().backward()
    for name, parameter in problem.score_network.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("tags", [["B-X", "I-X", "I-X", "O"], ["O", "I-X", "O", "O"]])
def test_true_segments_that_are_too_long_or_ill_formed_are_named(problem, tags):
    numbers = torch.tensor([[TAGS.index(tag) for tag in tags]] * 3)
    truth = problem.output_space.encode(numbers, problem.dtype)
    loss = problem.build(Loss, "'exact-likelihood'")
    with pytest.raises(ValueError, match="at most 2 tokens.*'max_segment_length'"):
        loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask)


def test_in_evaluation_a_true_segment_may_be_longer_but_not_ill_formed(problem):
    loss = problem.build(Loss, "'exact-likelihood'")
    problem.score_network.eval()
    values = []
    for tags in (["B-X", "I-X", "I-X", "O"], ["B-X", "I-X", "O", "O"]):
        numbers = torch.tensor([[TAGS.index(tag) for tag in tags]] * 3)
        truth = problem.output_space.encode(numbers, problem.dtype)
        values.append(loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask))
    longer = problem.mask.sum(1) > 2
    assert (values[0][longer] > 9000).all() and (values[1] < 100).all()
    numbers = torch.tensor([[TAGS.index(tag) for tag in ["O", "I-X", "O", "O"]]] * 3)
    truth = problem.output_space.encode(numbers, problem.dtype)
    with pytest.raises(ValueError, match="Expected true tags in BIO"):
        loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask)


def test_bad_settings_are_named(problem):
    with pytest.raises(ConfigurationError, match="max_length of at least 1"):
        problem.build(StructuredScore, "{type: 'semi-markov', max_length: 0}")
    problem.vocab.add_token_to_namespace("NOUN", "labels")
    with pytest.raises(ConfigurationError, match="the score 'semi-markov', got 'NOUN'"):
        problem.build(StructuredScore, "'semi-markov'")
