"""Terms over labels that depend on the encoding, against plain loops over labels."""

import itertools
import math

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward
from allennlp.nn import Activation

from structured_energy.score_networks import ConditionalFeedForwardScore, LabelAttentionScore

LABELS, SIZE = 4, 5
TANH = Activation.by_name("tanh")()


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(2)
    yield
    torch.set_default_dtype(torch.float32)


def attention(labels=LABELS):
    return LabelAttentionScore(labels, SIZE, hidden_size=3)


def feedforward(labels=LABELS):
    return ConditionalFeedForwardScore(labels, SIZE, num_patterns=6)


def deeper(labels=LABELS):
    more = Lazy(FeedForward, Params({"num_layers": 1, "hidden_dims": 2, "activations": "tanh"}))
    return ConditionalFeedForwardScore(labels, SIZE, 6, activation=TANH, feedforward=more)


def attended(term, y, h):
    """Return the score of one output: each label attends to the other ones."""
    q, k, u, v = term.embeddings
    score = torch.zeros(())
    for i in range(len(y)):
        others = [j for j in range(len(y)) if j != i]
        logits = [
            (q[i] + term.of_encoding.weight @ h) @ k[j] / math.sqrt(k.shape[1]) for j in others
        ]
        total = sum(logit.exp() for logit in logits)
        for j, logit in zip(others, logits, strict=True):
            score = score + y[i] * y[j] * logit.exp() / total * (u[i] @ v[j])
    return score


def of_patterns(term, y, h):
    """Return the score of one output, pattern by pattern."""
    values = []
    for number in range(term.of_labels.out_features):
        value = term.of_encoding.bias[number] + term.of_encoding.weight[number] @ h
        for i in range(len(y)):
            value = value + term.of_labels.weight[number, i] * y[i]
        values.append(value)
    if term.feedforward is None:
        return sum(
            weight * torch.log1p(value.exp())
            for weight, value in zip(term.projection.weight[0], values, strict=True)
        )
    (layer,) = term.feedforward._linear_layers
    return term.projection.weight[0] @ torch.tanh(layer(torch.tanh(torch.stack(values))))


TERMS = [(attention, attended), (feedforward, of_patterns), (deeper, of_patterns)]


def score(term, y, h, mask=None):
    return term(y, mask, term.encode(None, h, mask))


@pytest.mark.parametrize(("build", "loop"), TERMS)
@pytest.mark.parametrize("labels", [LABELS, 2, 1])
def test_it_equals_the_loop(build, loop, labels):
    term = build(labels)
    y, h = torch.rand(3, 2, labels), torch.randn(3, SIZE)
    scores = score(term, y, h)
    assert scores.shape == (3, 2)
    for i, j in itertools.product(range(3), range(2)):
        torch.testing.assert_close(scores[i, j], loop(term, y[i, j], h[i]))


def test_a_single_label_attends_to_none():
    assert (score(attention(1), torch.rand(3, 2, 1), torch.randn(3, SIZE)) == 0).all()


@pytest.mark.parametrize("real", [4, 2, 1])
def test_labels_attend_to_real_ones(real):
    """With padding the score is that of the real labels by themselves."""
    term, smaller = attention(), attention(real)
    with torch.no_grad():
        smaller.embeddings.copy_(term.embeddings[:, :real])
        smaller.of_encoding.weight.copy_(term.of_encoding.weight)
    y, h = torch.rand(3, 2, LABELS), torch.randn(3, SIZE)
    mask = torch.arange(LABELS).expand(3, -1) < real
    torch.testing.assert_close(score(term, y, h, mask), score(smaller, y[..., :real], h))


@pytest.mark.parametrize("build", [feedforward, deeper])
def test_padding_is_off(build):
    term = build()
    y, h = torch.rand(3, 2, LABELS), torch.randn(3, SIZE)
    mask = torch.tensor([[True, False, True, True], [False] * 4, [True] * 4])
    torch.testing.assert_close(score(term, y, h, mask), score(term, y * mask.unsqueeze(1), h))


@pytest.mark.parametrize(("build", "loop"), TERMS)
def test_it_is_differentiable_in_y_h_and_the_weights(build, loop):
    term = build()
    names = [name for name, _ in term.named_parameters()]
    mask = torch.tensor([[True, True, True, False], [True] * 4])

    def of(y, h, *weights):
        context = torch.func.functional_call(
            Encoding(term), dict(zip([f"term.{n}" for n in names], weights, strict=True)), (h, mask)
        )
        return torch.func.functional_call(
            term, dict(zip(names, weights, strict=True)), (y, mask, context)
        )

    inputs = [torch.rand(2, 2, LABELS), torch.randn(2, SIZE), *term.parameters()]
    inputs = [value.detach().requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(of, inputs)


class Encoding(torch.nn.Module):
    """`encode` of a term as a call."""

    def __init__(self, term):
        super().__init__()
        self.term = term

    def forward(self, h, mask):
        return self.term.encode(None, h, mask)


def test_bad_settings_and_outputs_are_named():
    with pytest.raises(ConfigurationError, match="num_patterns of at least 1 .* got 0"):
        ConditionalFeedForwardScore(LABELS, SIZE, num_patterns=0)
    with pytest.raises(ConfigurationError, match="hidden_size of at least 1 .* got -2"):
        LabelAttentionScore(LABELS, SIZE, hidden_size=-2)
    for build in (attention, feedforward):
        term = build()
        name = type(term).__name__
        with pytest.raises(ValueError, match=rf"one vector .* each instance, .* {name}, got h \(3"):
            term.encode(None, torch.randn(3, 6, SIZE), None)
        with pytest.raises(ValueError, match=f"Expected rows of labels, .* {name}, got y"):
            score(term, torch.rand(3, 2, 6, LABELS), torch.randn(3, SIZE))
