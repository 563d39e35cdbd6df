"""Constrained decoding, against the best of all allowed sequences."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.data.conll import Sentence
from structured_energy.data.tag_encodings import read_spans
from structured_energy.output_spaces import CategoricalOutputSpace
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import ConstrainedSampler, Sampler
from structured_energy.score_networks import ScoreNetwork
from structured_energy.testing import make_test_problem
from structured_energy.vocabulary import names

TAGS = {
    "BIO": ["O", "B-X", "I-X", "B-Y", "I-Y"],
    "IOB1": ["O", "B-X", "I-X", "I-Y"],
    "BIOUL": ["O", "B-X", "I-X", "L-X", "U-X"],
    "IOBES": ["O", "B-X", "I-X", "E-X", "S-X"],
    "BIOES": ["O", "B-X", "I-X", "E-X", "S-X"],
}
LENGTHS = [4, 1, 3]


class Given(Sampler):
    """Returns the given logits."""

    def __init__(self, output_space, logits):
        super().__init__(output_space)
        self.logits = logits

    def propose(self, x, truth, mask=None):
        y = torch.rand(3, 2, 4, 5) if self.logits is None else self.logits
        y = self.output_space.normalize(y)
        return SamplerOutput(y, self.logits, log_prob=torch.zeros(y.shape[:2]))


def vocab_of(tags):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in tags:
        vocab.add_token_to_namespace(tag, "labels")
    return vocab


def allowed(tags, encoding):
    """Return whether the encoding allows the tags; in IOB1 a B follows a span of its label."""
    try:
        read_spans(tags, encoding, Sentence("", [[tag] for tag in tags], list(range(len(tags)))))
    except ValueError:
        return False
    return encoding != "IOB1" or all(
        tag[0] != "B" or before[1:] == tag[1:] for before, tag in itertools.pairwise(["O", *tags])
    )


@pytest.mark.parametrize("place", ["end", "beginning", "holes"])
@pytest.mark.parametrize("encoding", TAGS)
def test_it_is_the_best_of_the_allowed_sequences(encoding, place):
    torch.manual_seed(1)
    tags = TAGS[encoding]
    space = CategoricalOutputSpace(vocab_of(tags))
    logits = 2 * torch.randn(3, 2, 4, len(tags))
    mask = torch.arange(4) < torch.tensor(LENGTHS).unsqueeze(1)
    if place == "beginning":
        mask = mask.flip(1)
    if place == "holes":
        mask = mask[:, [1, 0, 3, 2]]
    # The logits of the padding would require an X before it.
    logits[..., 2] = torch.where(mask.unsqueeze(1), logits[..., 2], 50.0)
    sampler = ConstrainedSampler(vocab_of(tags), space, Given(space, logits), encoding)
    sample = sampler.sample(None, None, mask)
    assert space.contains(sample.y) and sample.logits is logits
    assert sample.log_prob is None  # that of the constituent is of another y
    changed = 0
    for i, real in enumerate(mask):
        for j in range(2):
            best = max(
                (
                    numbers
                    for numbers in itertools.product(range(len(tags)), repeat=int(real.sum()))
                    if allowed([tags[number] for number in numbers], encoding)
                ),
                key=lambda numbers: (
                    logits[i, j, real].gather(1, torch.tensor(numbers).view(-1, 1)).sum()
                ),
            )
            assert sample.y[i, j, real].argmax(-1).tolist() == list(best)
            changed += list(best) != logits[i, j, real].argmax(-1).tolist()
    assert changed  # the constraint had something to do


CONSTITUENTS = (
    "'exact'",
    "{type: 'exact', num_samples: 4}",
    "{type: 'exact', kind: 'means'}",
    "{type: 'exact', kind: 'draws', num_samples: 6, seed: 1}",
)


@pytest.mark.parametrize("constituent", CONSTITUENTS)
def test_over_exact_it_is_exact_inference_of_the_constrained_chain(constituent):
    problem = make_test_problem(space="categorical")
    encoder = (
        "{type: 'tokens', embedder: {token_embedders: {tokens: "
        "{type: 'embedding', embedding_dim: 5}}}}"
    )
    tags = names(problem.vocab, "labels")
    samples = []
    for options in ("", ", encoding: 'BIO'"):
        torch.manual_seed(0)
        problem.score_network = problem.build(
            ScoreNetwork,
            f"{{structured_scores: [{{type: 'linear-chain'{options}}}], encoder: {encoder}}}",
        )
        with torch.no_grad():
            for parameter in problem.score_network.parameters():
                parameter.normal_()
        config = constituent if options else f"{{type: 'constrained', constituent: {constituent}}}"
        samples.append(problem.build(Sampler, config).sample(problem.x, None, problem.mask))
        unconstrained = problem.build(Sampler, constituent).sample(problem.x, None, problem.mask)
        if not options:
            assert not unconstrained.y.equal(samples[0].y)
    assert any(tag.startswith("I-") for tag in tags)
    for own, expected in zip(*samples, strict=True):
        if expected is not None:
            torch.testing.assert_close(own, expected)


def test_a_constituent_without_logits_is_refused_when_it_is_built():
    problem = make_test_problem(space="categorical")
    for constituent in ("'random'", "{type: 'best-of', constituents: ['random', 'ground-truth']}"):
        with pytest.raises(ConfigurationError, match="a constituent that returns logits"):
            problem.build(Sampler, f"{{type: 'constrained', constituent: {constituent}}}")
    with pytest.raises(ConfigurationError, match="'encoding', 'allowed' or 'unique'"):
        problem.build(
            Sampler, "{type: 'constrained', constituent: 'inference-network', encoding: null}"
        )


@pytest.mark.parametrize("encoding", ["BIO", "BIOUL", None])
def test_labels_are_unique(encoding):
    torch.manual_seed(3)
    tags = TAGS.get(encoding, ["_", "A", "B"])
    space = CategoricalOutputSpace(vocab_of(tags))
    logits = 2 * torch.randn(3, 2, 4, len(tags))
    kinds = {"BIO": ["X", "Y"], "BIOUL": ["X"], None: ["A"]}[encoding]
    sampler = ConstrainedSampler(
        vocab_of(tags), space, Given(space, logits), encoding, unique=kinds
    )
    result = sampler.sample(None, None, None).y.argmax(-1)

    def is_right(numbers):
        named = [tags[number] for number in numbers]
        begun = [
            tag if encoding is None else tag[2:]
            for tag in named
            if encoding is None or tag[0] in "BU"
        ]
        unique = all(begun.count(kind) < 2 for kind in kinds)
        return unique and (encoding is None or allowed(named, encoding))

    every = [n for n in itertools.product(range(len(tags)), repeat=4) if is_right(n)]
    for i, j in itertools.product(range(3), range(2)):
        best = max(every, key=lambda n: logits[i, j].gather(1, torch.tensor(n).view(-1, 1)).sum())
        assert result[i, j].tolist() == list(best)


def test_labels_that_cannot_be_unique_are_named():
    vocab, encodings = vocab_of(TAGS["BIO"]), (("IOB1", "got IOB1"), ("BIO", "got 'Z'"))
    space = CategoricalOutputSpace(vocab)
    for encoding, message in encodings:
        with pytest.raises(ConfigurationError, match=message):
            ConstrainedSampler(vocab, space, Given(space, None), encoding, unique=["Z"])


def test_outputs_that_cannot_be_decoded_are_named():
    vocab = vocab_of(TAGS["BIO"])
    space = CategoricalOutputSpace(vocab)
    with pytest.raises(ValueError, match="returns logits"):
        ConstrainedSampler(vocab, space, Given(space, None)).sample(None, None)
    with pytest.raises(ConfigurationError, match="one of .*'BIO'.* got 'BMES'"):
        ConstrainedSampler(vocab, space, Given(space, None), "BMES")
    with pytest.raises(ConfigurationError, match="got 'NOUN'"):
        ConstrainedSampler(vocab_of(["NOUN", "O"]), space, Given(space, None))
