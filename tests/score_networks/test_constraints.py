"""Constraints inside a linear chain, against the sum over all sequences that are allowed."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from scipy.optimize import linear_sum_assignment
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from structured_energy.data.conll import Sentence
from structured_energy.data.tag_encodings import read_spans
from structured_energy.losses import Loss
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler
from structured_energy.score_networks import Chain, ScoreNetwork, best_with_unique
from structured_energy.score_networks.constraints import constraints_of
from structured_energy.testing import make_test_problem

TAGS = {
    "BIO": ["O", "B-X", "I-X"],
    "IOB1": ["O", "B-X", "I-X"],
    "BIOUL": ["B-X", "L-X", "U-X"],
    "by hand": ["D", "N", "V"],
}
ALLOWED = {"START": ["D", "N"], "D": ["N"], "V": ["D", "N", "END"]}
OPTIONS = {
    **{name: f"encoding: '{name}'" for name in ("BIO", "IOB1", "BIOUL")},
    "by hand": f"allowed: {ALLOWED}",
}


def is_allowed(tags, kind):
    """Return whether the encoding, or the table written out, allows the tags."""
    if kind == "by hand":
        return (
            tags[0] != "V"
            and tags[-1] != "D"
            and all(
                pair not in (("D", "D"), ("D", "V"), ("V", "V"))
                for pair in itertools.pairwise(tags)
            )
        )
    try:
        read_spans(tags, kind, Sentence("", [[tag] for tag in tags], list(range(len(tags)))))
    except ValueError:
        return False
    return kind != "IOB1" or all(
        tag[0] != "B" or before[1:] == tag[1:] for before, tag in itertools.pairwise(["O", *tags])
    )


@pytest.fixture(params=TAGS)
def kind(request):
    return request.param


@pytest.fixture
def problem(kind):
    problem = make_test_problem(space="categorical")
    problem.vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in TAGS[kind]:
        problem.vocab.add_token_to_namespace(tag, "labels")
    for number in range(6):
        problem.vocab.add_token_to_namespace(f"word_{number}", "tokens")
    embedder = "{token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}}"
    problem.score_network = problem.build(
        ScoreNetwork,
        f"{{structured_scores: [{{type: 'linear-chain', {OPTIONS[kind]}}}], "
        f"encoder: {{type: 'tokens', embedder: {embedder}}}}}",
    )
    with torch.no_grad():
        for parameter in problem.score_network.parameters():
            parameter.normal_()
    return problem


def enumerated(problem, kind, i):
    """Return the allowed sequences of a sentence with their log-probabilities, the best first."""
    length = int(problem.mask[i].sum())
    numbers = [
        numbers
        for numbers in itertools.product(range(3), repeat=length)
        if is_allowed([TAGS[kind][number] for number in numbers], kind)
    ]
    y = torch.zeros(len(numbers), problem.mask.shape[1], dtype=torch.long)
    y[:, problem.mask[i]] = torch.tensor(numbers)
    y = torch.nn.functional.one_hot(y, 3).to(problem.dtype).unsqueeze(0)
    x = {"tokens": {"tokens": problem.x["tokens"]["tokens"][[i]]}}
    scores = problem.score_network(x, y, problem.mask[[i]])[0]
    order = scores.argsort(descending=True)
    return y[0][order], scores.log_softmax(0)[order]


def test_inference_is_exact_over_the_allowed_sequences(problem, kind):
    samples = {
        name: problem.build(Sampler, config).sample(problem.x, None, problem.mask)
        for name, config in {
            "best": "'exact'",
            "five": "{type: 'exact', num_samples: 5}",
            "means": "{type: 'exact', kind: 'means'}",
            "draws": "{type: 'exact', kind: 'draws', num_samples: 300}",
        }.items()
    }
    for i, real in enumerate(problem.mask):
        y, log_prob = enumerated(problem, kind, i)
        assert len(y) < 3 ** int(real.sum())
        assert samples["best"].y[i, 0, real].equal(y[0, real])
        for rank, own in enumerate(samples["five"].y[i]):
            assert own[real].equal(y[min(rank, len(y) - 1), real])
        expected = (log_prob.exp().view(-1, 1, 1) * y)[:, real].sum(0)
        torch.testing.assert_close(samples["means"].y[i, 0, real], expected, atol=1e-5, rtol=0)
        same = (samples["draws"].y[i][:, None, real] == y[None, :, real]).flatten(2).all(2)
        assert same.any(1).all()
        torch.testing.assert_close(samples["draws"].log_prob[i], log_prob[same.int().argmax(1)])


def test_the_likelihood_is_over_the_allowed_sequences(problem, kind):
    loss = problem.build(Loss, "'exact-likelihood'")
    rows = [enumerated(problem, kind, i) for i in range(3)]
    truth = torch.stack([y[-1] for y, _ in rows]).unsqueeze(1)
    own = loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask)[:, 0]
    torch.testing.assert_close(own, -torch.stack([log_prob[-1] for _, log_prob in rows]))
    own.mean().backward()
    for name, parameter in problem.score_network.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name
    tags = next(
        numbers
        for numbers in itertools.product(range(3), repeat=problem.mask.shape[1])
        if not is_allowed([TAGS[kind][number] for number in numbers], kind)
    )
    truth[0, 0] = torch.nn.functional.one_hot(torch.tensor(tags), 3)
    with pytest.raises(ValueError, match="true tags that the constraints .* allow, got .* after"):
        loss.unreduced(problem.x, truth, SamplerOutput(truth), problem.mask)


def vocab_of(tags):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in tags:
        vocab.add_token_to_namespace(tag, "labels")
    return vocab


@pytest.mark.parametrize(
    ("tags", "encoding", "allowed", "message"),
    [
        (["O", "B-X"], "BMES", None, "encoding of here to be one of .* got 'BMES'"),
        (["O", "N"], "BIO", None, "got 'N'"),
        (["N", "V"], None, {"M": ["N"]}, "N, V, START, got 'M'"),
        (["N", "V"], None, {"N": ["START"]}, "N, V, END, got 'START'"),
        (["N", "V"], None, {"START": []}, "got none that may be the first one"),
        (["N", "V"], None, {"N": ["V"], "V": ["N"]}, "END is among the followers of the last"),
        (["N", "V"], None, {"START": ["N"], "N": ["N"], "V": ["END"]}, "got none .* lead to one"),
        (["O", "B-X", "I-X"], "BIO", {"START": ["I-X"]}, "got none that may be the first one"),
        (["N", "START"], None, {"N": ["N"]}, "no tag 'START'"),
    ],
)
def test_bad_constraints_are_named(tags, encoding, allowed, message):
    with pytest.raises(ConfigurationError, match=message):
        constraints_of(vocab_of(tags), encoding, allowed, "here")


@pytest.mark.parametrize("seed", range(5))
def test_the_best_with_unique_kinds_is_the_best_of_all(seed):
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float64)
    try:
        mask = torch.tensor([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 1, 0, 0, 0]]).bool()
        chain = Chain(
            2 * torch.randn(3, 5, 4), torch.randn(4, 4), torch.randn(4), torch.randn(4), mask
        )
        chain.potentials[:, :, 1:3] += 2  # so that they are repeated
        opens = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 0]]).bool()
        result = best_with_unique(chain, opens)
        changed = 0
        for i, real in enumerate(mask):
            every = torch.tensor(list(itertools.product(range(4), repeat=int(real.sum()))))
            every = every[((every == 1).sum(1) < 2) & ((every == 2).sum(1) < 2)]
            tags = torch.zeros(len(every), 5, dtype=torch.long)
            tags[:, real] = every
            own = chain._replace(potentials=chain.potentials[[i]], mask=mask[[i]])
            best = tags[own.scores(tags.unsqueeze(0))[0].argmax()]
            assert result[i, real].equal(best[real])
            changed += int(not chain.best()[i, real].equal(best[real]))
        assert changed
    finally:
        torch.set_default_dtype(torch.float32)


class LargestTensor(TorchDispatchMode):
    """Measure the number of elements of the largest tensor that is made inside the context."""

    largest = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        sizes = [part.numel() for part in tree_leaves(result) if isinstance(part, torch.Tensor)]
        self.largest = max([self.largest, *sizes])
        return result


def test_many_repeated_kinds_are_an_assignment():
    # Without transitions the best tags are an assignment: a row for each token, a column for each
    # kind, and one of O for each token. The sets of kinds have (2^8 · 9)² transitions.
    torch.manual_seed(0)
    kinds, size = 8, 12
    potentials = torch.randn(1, size, kinds + 1) + torch.tensor([0.0] + [4.0] * kinds)
    zeros = torch.zeros(kinds + 1)
    mask = torch.ones(1, size, dtype=torch.bool)
    chain = Chain(potentials, torch.zeros(kinds + 1, kinds + 1), zeros, zeros, mask)
    opens = torch.eye(kinds + 1, dtype=torch.bool)[1:]
    repeated = torch.stack([(chain.best() == kind).sum() for kind in range(1, kinds + 1)]) > 1
    with LargestTensor() as tensors:
        result = best_with_unique(chain, opens)[0]
    assert tensors.largest <= 2**kinds * (kinds + 1) * size
    costs = potentials[0, :, [*range(1, kinds + 1), *[0] * size]]
    rows, columns = linear_sum_assignment(costs, maximize=True)
    assert repeated.any()
    value = potentials[0, torch.arange(size), result].sum()
    torch.testing.assert_close(value, costs[rows, columns].sum())
