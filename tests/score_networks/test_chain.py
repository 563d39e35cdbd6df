"""Exact inference in linear chains, against enumeration and AllenNLP's conditional random field."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import ConditionalRandomField

from structured_energy.losses import ExactLikelihoodLoss, Loss
from structured_energy.samplers import ExactSampler, Sampler
from structured_energy.score_networks import Chain
from structured_energy.testing import make_world

LENGTHS = [4, 1, 3]
K = 3


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture()
def chain():
    torch.manual_seed(2)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
    tensors = [torch.randn(3, max(LENGTHS), K), torch.randn(K, K), torch.randn(K), torch.randn(K)]
    return Chain(*[tensor.requires_grad_() for tensor in tensors], mask)


def enumerated(chain, i):
    """All sequences of a sentence, and their scores."""
    sequences = list(itertools.product(range(K), repeat=LENGTHS[i]))
    scores = []
    for tags in sequences:
        score = chain.start[tags[0]] + chain.end[tags[-1]]
        score = score + sum(chain.potentials[i, t, tag] for t, tag in enumerate(tags))
        for before, after in itertools.pairwise(tags):
            score = score + chain.transitions[before, after]
        scores.append(score)
    return sequences, torch.stack(scores)


def test_the_partition_function_is_the_sum_over_all_sequences(chain):
    found = chain.log_partition()
    expected = torch.stack([enumerated(chain, i)[1].logsumexp(0) for i in range(3)])
    torch.testing.assert_close(found, expected)
    wanted = (chain.potentials, chain.transitions, chain.start, chain.end)
    pairs = [torch.autograd.grad(value.sum(), wanted) for value in (found, expected)]
    for mine, reference in zip(*pairs, strict=True):
        torch.testing.assert_close(mine, reference)


def test_the_likelihood_is_that_of_allennlp_s_conditional_random_field(chain):
    crf = ConditionalRandomField(K)
    crf.transitions.data = chain.transitions.detach()
    crf.start_transitions.data = chain.start.detach()
    crf.end_transitions.data = chain.end.detach()
    tags = torch.randint(K, chain.mask.shape)
    numerator = crf._joint_likelihood(chain.potentials, crf.transitions, tags, chain.mask).sum()
    expected = crf(chain.potentials, tags, chain.mask)
    torch.testing.assert_close(numerator - chain.log_partition().sum(), expected)
    best = [path for path, _ in crf.viterbi_tags(chain.potentials, chain.mask)]
    found = [row[:n].tolist() for row, n in zip(chain.best(), LENGTHS, strict=True)]
    assert found == best


@pytest.mark.parametrize("count", [1, 5])
def test_the_best_are_the_best_of_all(chain, count):
    tags = chain.best().unsqueeze(1) if count == 1 else chain.best_ones(count)
    for i, length in enumerate(LENGTHS):
        sequences, scores = enumerated(chain, i)
        ranked = scores.argsort(descending=True)[:count].tolist()
        expected = [list(sequences[rank]) for rank in ranked]
        expected += expected[-1:] * (count - len(expected))
        assert tags[i, :, :length].tolist() == expected
        assert (tags[i, :, length:] == 0).all()


def test_draws_follow_the_distribution(chain):
    count = 20000
    draws = chain.draws(count)
    for i, length in enumerate(LENGTHS):
        sequences, scores = enumerated(chain, i)
        place = torch.tensor([K**t for t in reversed(range(length))])
        numbers = (draws[i, :, :length] * place).sum(1)
        empirical = torch.bincount(numbers, minlength=len(sequences)) / count
        # The expected total variation of 20000 exact draws over 81 outputs is about 0.025.
        assert (empirical - scores.softmax(0)).abs().sum() / 2 < 0.04


def test_the_sampler_s_log_probabilities_are_those_of_all_sequences():
    world = make_world(space="categorical")
    best = world.build(Sampler, "{type: 'exact', num_samples: 81}")
    y = best.sample(world.x, None, world.mask).y
    # All 81 sequences of the full sentences; the padded one has 9.
    scores = world.score_network(world.x, y, world.mask)
    assert (scores.diff(dim=1) <= 1e-9).all()
    scores[2, 9:] = -torch.inf
    expected = scores.log_softmax(1)
    sampler = world.build(Sampler, "{type: 'exact', num_samples: 50, kind: 'draws'}")
    draws = sampler.sample(world.x, None, world.mask)
    for i in range(3):
        kept = world.mask[i]
        same = (draws.y[i][:, None, kept] == y[i][None, :, kept]).flatten(2).all(2)
        torch.testing.assert_close(draws.log_prob[i], expected[i, same.int().argmax(1)])
    loss = world.build(Loss, "'exact-likelihood'")
    truth = world.output_space.encode(world.labels, world.dtype)
    mine = loss.unreduced(world.x, truth, draws, world.mask)[0, 0]
    matching = (y[0] == truth[0]).all(-1).all(-1)
    torch.testing.assert_close(mine, -expected[0][matching][0])


@pytest.mark.parametrize("make", [ExactSampler, ExactLikelihoodLoss])
@pytest.mark.parametrize("space", ["binary", "categorical"])
def test_other_score_networks_are_refused(make, space):
    world = make_world(space=space)
    if space == "categorical":
        world.score_network.structured_scores.append(torch.nn.Identity())
    with pytest.raises(ConfigurationError, match=r"structured scores \['linear-chain'\]"):
        make(score_network=world.score_network, output_space=world.output_space)


def test_bad_settings_are_named():
    world = make_world(space="categorical")
    for settings in ("num_samples: 0", "kind: 'worst'"):
        with pytest.raises(ConfigurationError, match="at least 1 sample and a kind"):
            world.build(Sampler, f"{{type: 'exact', {settings}}}")
