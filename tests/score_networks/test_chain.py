"""Exact inference in linear chains, against enumeration and AllenNLP's conditional random field."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import ConditionalRandomField

from structured_energy.losses import ExactLikelihoodLoss, Loss
from structured_energy.samplers import ExactSampler, Sampler
from structured_energy.samplers.tempered_draws import stratified_numbers
from structured_energy.score_networks import Chain, ScoreNetwork, has_exact_inference
from structured_energy.testing import make_test_problem

LENGTHS = [4, 1, 3]
K = 3
# Padding at the end, at the beginning, and holes.
MASKS = {
    "end": [[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0]],
    "beginning": [[1, 1, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1]],
    "holes": [[1, 1, 0, 1], [0, 1, 0, 0], [0, 1, 0, 1]],
}


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(params=MASKS)
def chain(request):
    torch.manual_seed(2)
    mask = torch.tensor(MASKS[request.param], dtype=torch.bool)
    tensors = [torch.randn(3, mask.shape[1], K), torch.randn(K, K), torch.randn(K), torch.randn(K)]
    return Chain(*[tensor.requires_grad_() for tensor in tensors], mask)


def enumerated(chain, i):
    """All sequences of the real tokens of a sentence, and their scores."""
    real = chain.mask[i].nonzero()[:, 0].tolist()
    sequences = list(itertools.product(range(K), repeat=len(real)))
    scores = []
    for tags in sequences:
        score = chain.start[tags[0]] + chain.end[tags[-1]]
        score = score + sum(chain.potentials[i, t, tag] for t, tag in zip(real, tags, strict=True))
        for before, after in itertools.pairwise(tags):
            score = score + chain.transitions[before, after]
        scores.append(score)
    return sequences, torch.stack(scores)


def test_the_partition_function_is_the_sum_over_all_sequences(chain):
    result = chain.log_partition()
    expected = torch.stack([enumerated(chain, i)[1].logsumexp(0) for i in range(3)])
    torch.testing.assert_close(result, expected)
    wanted = (chain.potentials, chain.transitions, chain.start, chain.end)
    pairs = [torch.autograd.grad(value.sum(), wanted) for value in (result, expected)]
    for own, reference in zip(*pairs, strict=True):
        torch.testing.assert_close(own, reference)


@pytest.mark.parametrize("chain", ["end"], indirect=True)
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
    result = [row[:n].tolist() for row, n in zip(chain.best(), LENGTHS, strict=True)]
    assert result == best


def expectations(chain, i, other=None):
    """Return the marginals of the tokens of a sentence, its entropy, and the divergence from
    another chain, by all sequences."""
    sequences, scores = enumerated(chain, i)
    log_p = scores.log_softmax(0)
    one_hot = torch.nn.functional.one_hot(torch.tensor(sequences), K).double()
    marginals = (log_p.exp().view(-1, 1, 1) * one_hot).sum(0)
    log_q = log_p if other is None else enumerated(other, i)[1].log_softmax(0)
    return marginals, -(log_p.exp() * log_p).sum(), (log_p.exp() * (log_p - log_q)).sum()


def other_chain(chain):
    parts = [torch.randn_like(part).requires_grad_() for part in chain[:4]]
    return Chain(*parts, chain.mask)


def test_means_entropy_and_divergence_are_those_of_all_sequences(chain):
    other = other_chain(chain)
    means, results = chain.means(), (chain.entropy(), chain.divergence(other))
    expected = []
    for i, real in enumerate(chain.mask):
        marginals, *values = expectations(chain, i, other)
        expected.append(torch.stack(values))
        torch.testing.assert_close(means.tags[i, real], marginals)
        assert (means.tags[i, ~real] == 0).all()
        torch.testing.assert_close(means.start[i], marginals[0])
        torch.testing.assert_close(means.end[i], marginals[-1])
        torch.testing.assert_close(means.transitions[i].sum(0), marginals[1:].sum(0))
        torch.testing.assert_close(means.transitions[i].sum(1), marginals[:-1].sum(0))
    torch.testing.assert_close(torch.stack(results, 1), torch.stack(expected))
    # Differentiable in all weights of both.
    wanted = [*chain[:4], *other[:4]]
    gradients = [
        torch.autograd.grad(value, wanted)
        for value in (sum(results).sum(), torch.stack(expected).sum())
    ]
    for own, reference in zip(*gradients, strict=True):
        torch.testing.assert_close(own, reference)
    with torch.no_grad():
        torch.testing.assert_close(chain.entropy(), results[0].detach())
    assert chain.divergence(chain).abs().max() < 1e-12


def test_the_entropy_of_large_potentials_is_exact_in_single_precision(chain):
    large = chain._replace(potentials=300 * chain.potentials.detach())
    other = large._replace(potentials=large.potentials + torch.randn(3, 4, K))
    single, other_single = (
        Chain(*(part.detach().float() for part in each[:4]), each.mask) for each in (large, other)
    )
    # The double of the rounded potentials.
    large, other = (
        Chain(*(part.double() for part in each[:4]), each.mask) for each in (single, other_single)
    )
    expected = [torch.stack(expectations(large, i, other)[1:]) for i in range(3)]
    results = torch.stack([single.entropy(), single.divergence(other_single)], 1)
    assert results.dtype == torch.float32
    torch.testing.assert_close(results.double(), torch.stack(expected), rtol=1e-5, atol=1e-6)


def test_padding_of_any_number_changes_no_mean(chain):
    padded = chain.potentials.detach().masked_fill(~chain.mask.unsqueeze(2), torch.nan)
    result = chain._replace(potentials=padded)
    torch.testing.assert_close(result.entropy(), chain.entropy())
    torch.testing.assert_close(result.means().tags, chain.means().tags)


def test_chains_over_other_sentences_have_no_divergence(chain):
    for other in (
        chain._replace(mask=chain.mask & (torch.arange(4) < 1)),
        chain._replace(potentials=chain.potentials[:, :2], mask=chain.mask[:, :2]),
    ):
        with pytest.raises(ValueError, match="two chains over the same tokens and tags"):
            chain.divergence(other)


def test_the_scores_of_the_best_sum_to_their_share(chain):
    scores = chain.scores(chain.best_ones(81))
    for i in range(3):
        expected = enumerated(chain, i)[1].sort(descending=True).values
        torch.testing.assert_close(scores[i, : len(expected)], expected)
    share = (scores[:, :2].logsumexp(1) - chain.log_partition()).exp()
    for i in range(3):
        expected = enumerated(chain, i)[1].softmax(0).topk(2).values.sum()
        torch.testing.assert_close(share[i], expected)


def test_fixed_numbers_give_stratified_draws_that_follow_the_marginals(chain):
    numbers = stratified_numbers(3, 5000, (4,))
    draws = chain.draws(5000, numbers)
    assert draws.equal(chain.draws(5000, numbers))
    counts = torch.nn.functional.one_hot(draws, K).double().mean(1)
    torch.testing.assert_close(
        counts[chain.mask], chain.means().tags[chain.mask], atol=0.02, rtol=0
    )


@pytest.mark.parametrize("count", [1, 5])
def test_the_best_are_the_best_of_all(chain, count):
    tags = chain.best().unsqueeze(1) if count == 1 else chain.best_ones(count)
    for i, real in enumerate(chain.mask):
        sequences, scores = enumerated(chain, i)
        ranked = scores.argsort(descending=True)[:count].tolist()
        expected = [list(sequences[rank]) for rank in ranked]
        expected += expected[-1:] * (count - len(expected))
        assert tags[i][:, real].tolist() == expected
        assert (tags[i][:, ~real] == 0).all()


def test_draws_follow_the_distribution(chain):
    count = 20000
    draws = chain.draws(count)
    for i, real in enumerate(chain.mask):
        sequences, scores = enumerated(chain, i)
        place = torch.tensor([K**t for t in reversed(range(int(real.sum())))])
        numbers = (draws[i][:, real] * place).sum(1)
        empirical = torch.bincount(numbers, minlength=len(sequences)) / count
        # The expected total variation of 20000 exact draws over 81 outputs is about 0.025.
        assert (empirical - scores.softmax(0)).abs().sum() / 2 < 0.04


def test_the_sampler_s_log_probabilities_are_those_of_all_sequences():
    problem = make_test_problem(space="categorical")
    best = problem.build(Sampler, "{type: 'exact', num_samples: 81}")
    y = best.sample(problem.x, None, problem.mask).y
    # All 81 sequences of the full sentences; the padded one has 9.
    scores = problem.score_network(problem.x, y, problem.mask)
    assert (scores.diff(dim=1) <= 1e-9).all()
    scores[2, 9:] = -torch.inf
    expected = scores.log_softmax(1)
    sampler = problem.build(Sampler, "{type: 'exact', num_samples: 50, kind: 'draws'}")
    draws = sampler.sample(problem.x, None, problem.mask)
    for i in range(3):
        kept = problem.mask[i]
        same = (draws.y[i][:, None, kept] == y[i][None, :, kept]).flatten(2).all(2)
        torch.testing.assert_close(draws.log_prob[i], expected[i, same.int().argmax(1)])
    loss = problem.build(Loss, "'exact-likelihood'")
    truth = problem.output_space.encode(problem.labels, problem.dtype)
    own = loss.unreduced(problem.x, truth, draws, problem.mask)[0, 0]
    matching = (y[0] == truth[0]).all(-1).all(-1)
    torch.testing.assert_close(own, -expected[0][matching][0])


SEQUENCE_NETWORK = """{
  structured_scores: ['linear-chain'],
  encoder: {
    type: 'tokens',
    embedder: {token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}},
    encoder: {type: 'lstm', input_size: 5, hidden_size: 4, bidirectional: true},
  },
}"""


@pytest.mark.parametrize("place", MASKS)
def test_a_masked_token_is_not_there(place):
    problem = make_test_problem(space="categorical")
    network = problem.score_network = problem.build(ScoreNetwork, SEQUENCE_NETWORK)
    words = torch.randint(2, 8, (3, 4))
    mask = torch.tensor(MASKS[place], dtype=torch.bool)
    loss = problem.build(Loss, "'exact-likelihood'")
    best = problem.build(Sampler, "'exact'")
    draws = problem.build(Sampler, "{type: 'exact', num_samples: 2, kind: 'draws'}")

    def results(words, truth, mask):
        x = {"tokens": {"tokens": words}}
        sample = draws.sample(x, None, mask)
        scores = network(x, sample.y, mask)
        likelihood = loss.unreduced(x, truth, sample, mask)
        # The draws are checked by their probabilities, since a draw is random.
        result = sample.log_prob - scores
        torch.testing.assert_close(result, result[:, :1].expand_as(result))
        return likelihood, result[:, :1], best.sample(x, None, mask).y

    result = results(words, problem.truth, mask)
    for i, real in enumerate(mask):
        own_words = words[i : i + 1, real]
        expected = results(
            own_words, problem.truth[i : i + 1, :, real], torch.ones_like(own_words).bool()
        )
        torch.testing.assert_close(result[0][i], expected[0][0])
        torch.testing.assert_close(result[1][i], expected[1][0])
        torch.testing.assert_close(result[2][i][:, real], expected[2][0])


@pytest.mark.parametrize("make", [ExactSampler, ExactLikelihoodLoss])
@pytest.mark.parametrize("space", ["binary", "categorical"])
def test_other_score_networks_are_refused(make, space):
    problem = make_test_problem(space=space)
    if space == "categorical":
        problem.score_network.structured_scores.append(torch.nn.Identity())
    with pytest.raises(ConfigurationError, match=r"structured scores \['linear-chain'\]"):
        make(score_network=problem.score_network, output_space=problem.output_space)


@pytest.mark.parametrize("make", [ExactSampler, ExactLikelihoodLoss])
@pytest.mark.parametrize("space", ["categorical", "tree", "dependencies"])
def test_a_mean_over_positions_has_no_exact_inference(make, space):
    problem = make_test_problem(space=space)
    assert has_exact_inference(problem.score_network)
    problem.score_network.positions = "mean"
    with pytest.raises(ConfigurationError, match="Expected positions 'sum' .* got 'mean'"):
        make(score_network=problem.score_network, output_space=problem.output_space)
    assert not has_exact_inference(problem.score_network)


def test_bad_settings_are_named():
    problem = make_test_problem(space="categorical")
    for settings in ("num_samples: 0", "kind: 'worst'"):
        with pytest.raises(ConfigurationError, match="at least 1 sample and a kind"):
            problem.build(Sampler, f"{{type: 'exact', {settings}}}")
