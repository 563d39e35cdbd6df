"""The log-probability of pixels that follow each other, against enumeration."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.score_networks import AutoregressivePixelsScore, ClassifierChainScore

FEATURES, LABELS, SIZE = 5, 7, 3


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(2)
    yield
    torch.set_default_dtype(torch.float32)


def build(**changed):
    sizes = {"height": 4, "width": 4, "channels": 3, "num_layers": 2, **changed}
    term = AutoregressivePixelsScore(BinaryOutputSpace(), LABELS, SIZE, **sizes).eval()
    torch.nn.init.normal_(term.biases)
    torch.nn.init.normal_(term.of_labels)
    return term


def chain():
    term = ClassifierChainScore(BinaryOutputSpace(), LABELS, SIZE)
    torch.nn.init.normal_(term.of_labels)
    return term


def every_output():
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=LABELS)))


def score(term, x, h, y, mask=None):
    return term(y, mask, term.encode(x, h, mask))


def test_a_chain_is_a_logistic_regression_on_the_labels_before():
    term, h, y = chain(), torch.randn(2, SIZE), torch.randint(2, (2, 3, LABELS)).double()
    scores = score(term, None, h, y)
    for i, j in itertools.product(range(2), range(3)):
        expected = torch.zeros(())
        for place in range(LABELS):
            logit = term.local.weight[place] @ h[i] + term.local.bias[place]
            logit = logit + term.of_labels[place, :place] @ y[i, j, :place]
            sign = 2 * y[i, j, place] - 1
            expected = expected - torch.log1p((-sign * logit).exp())
        torch.testing.assert_close(scores[i, j], expected)
    every = score(term, None, h, every_output().expand(2, -1, -1))
    torch.testing.assert_close(every.logsumexp(1), torch.zeros(2))


@pytest.mark.parametrize(
    "sizes", [{}, {"height": 3}, {"num_layers": 0}, {"height": 1, "width": 12}]
)
def test_the_probabilities_of_all_outputs_sum_to_1(sizes):
    x, h = torch.rand(2, FEATURES), torch.randn(2, SIZE)
    scores = score(build(**sizes), x, h, every_output().expand(2, -1, -1))
    assert scores.std() > 0.1
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(2))


def test_those_of_real_labels_sum_to_1():
    x, h = torch.rand(2, FEATURES), torch.randn(2, SIZE)
    mask = torch.arange(LABELS).expand(2, -1) < LABELS - 2
    outputs = every_output()[::4]  # one of those that differ in the two last labels
    scores = score(build(), x, h, outputs.expand(2, -1, -1), mask)
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(2))


def test_a_logit_depends_on_the_labels_before_it_and_on_x():
    term = build()
    y = torch.rand(1, 1, LABELS, requires_grad=True)
    encoded = term.encode(torch.rand(1, FEATURES), torch.randn(1, SIZE), None)
    encoded = encoded.detach().requires_grad_()
    logits = term.logits(y, encoded)[0, 0]
    for place in range(LABELS):
        in_y, in_x = torch.autograd.grad(logits[place], (y, encoded), retain_graph=True)
        assert (in_y[0, 0, :place] != 0).all()
        assert (in_y[0, 0, place:] == 0).all()
        assert (in_x[0, -FEATURES:] != 0).any()


def test_the_neighbour_above_is_seen():
    """The pixels lie row by row: the weights of `first` above its centre take the pixel above."""
    term = build(num_layers=0)
    with torch.no_grad():
        for parameter in term.parameters():
            parameter.zero_()
        term.first.weight[:, 0, 1, 2] = 1.0
        term.projections.fill_(1.0)
    y = torch.tensor([[[1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]])
    logits = term.logits(y, term.encode(torch.zeros(1, FEATURES), torch.zeros(1, SIZE), None))
    # Label i is pixel 5 + i; above it are the features 1 … 4, all off, and the labels 0, 1 and 2.
    on, off = (3 * torch.nn.functional.softplus(torch.tensor(value)) for value in (1.0, -1.0))
    expected = torch.stack([off, off, off, off, on, off, off])
    torch.testing.assert_close(logits[0, 0], expected)


def test_samples_do_not_depend_on_each_other():
    term, x, h = build(), torch.rand(3, FEATURES), torch.randn(3, SIZE)
    y = torch.rand(3, 4, LABELS)
    each = [score(term, x, h, y[:, i : i + 1]) for i in range(4)]
    torch.testing.assert_close(score(term, x, h, y), torch.cat(each, 1))


def test_it_is_differentiable_in_y():
    term, x, h = build(), torch.rand(2, FEATURES), torch.randn(2, SIZE)
    y = torch.rand(2, 2, LABELS, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: score(term, x, h, y), y)


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ConfigurationError, match="at least 7 pixels"):
        build(height=2, width=3)
    with pytest.raises(ValueError, match=r"at least 5 \+ 7 pixels"):
        score(build(height=2), torch.rand(1, FEATURES), torch.randn(1, SIZE), torch.rand(1, 1, 7))


def test_features_that_are_no_vectors_are_refused():
    with pytest.raises(ValueError, match=r"dense features .* got \(1, 2, 5\)"):
        build().encode(torch.rand(1, 2, FEATURES), torch.randn(1, SIZE), None)
