"""Terms over tags, against plain loops over the positions of one sentence at a time."""

import itertools

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from component_names import names_of
from plain_attention import attention_over

from structured_energy.score_networks import StructuredScore
from structured_energy.testing import make_test_problem

K = 3
LENGTHS = [6, 1, 4, 2]
FEEDFORWARD = {"num_layers": 1, "hidden_dims": 5, "activations": "softplus"}


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def linear_chain(term, y):
    score = y[0] @ term.start + y[-1] @ term.end
    for before, after in itertools.pairwise(y):
        score = score + before @ term.transitions @ after
    return score


def skip_chain(term, y):
    score = torch.zeros(())
    for t, m in itertools.product(range(len(y)), range(1, len(term.transitions) + 1)):
        if t >= m:
            score = score + y[t - m] @ term.transitions[m - 1] @ y[t]
    return score


def high_order(term, y):
    score = torch.zeros(())
    for t in range(term.order, len(y)):
        context = torch.ones(1)
        for before in y[t - term.order : t]:
            context = torch.kron(context, before)
        score = score + y[t] @ term.projection.weight @ term.feedforward(context)
    return score


def convolutional(term, y):
    score = torch.zeros(())
    width = term.filters.weight.shape[2]
    for t in range(len(y)):
        hidden = term.filters.bias
        for place in range(width):
            at = t + place - width // 2
            if 0 <= at < len(y):
                hidden = hidden + term.filters.weight[:, :, place] @ y[at]
        score = score + term.projection.weight[0] @ torch.log1p(hidden.exp())
    return score


def self_attention(term, y):
    return attention_over(term, y @ term.embedding.weight.T)


def label_language_model(term, y):
    score = torch.zeros(())
    state = None
    given = term.start
    for tag in y:
        hidden, state = term.lstm(given.view(1, 1, -1), state)
        logits = term.prediction(hidden[0, 0])
        score = score + tag @ (logits - logits.logsumexp(0))
        given = term.embedding(tag)
    return score


CASES = [
    ({"type": "linear-chain"}, linear_chain),
    ({"type": "skip-chain", "order": 1}, skip_chain),
    ({"type": "skip-chain", "order": 3}, skip_chain),
    ({"type": "skip-chain", "order": 9}, skip_chain),
    ({"type": "high-order", "order": 1, "feedforward": FEEDFORWARD}, high_order),
    ({"type": "high-order", "order": 3, "feedforward": FEEDFORWARD}, high_order),
    ({"type": "convolutional", "width": 1, "num_filters": 4}, convolutional),
    ({"type": "convolutional", "width": 5, "num_filters": 4}, convolutional),
    ({"type": "self-attention", "hidden_size": 8}, self_attention),
    ({"type": "self-attention", "hidden_size": 12, "num_heads": 3, "window": 1}, self_attention),
    ({"type": "label-language-model", "hidden_size": 4}, label_language_model),
]


def test_every_term_over_tags_is_here():
    types = {config["type"] for config, _ in CASES}
    of_labels = {
        "feedforward",
        "conditional-feedforward",
        "label-attention",
        "cardinality",
        "pairwise",
        "scaled-logits",
        "classifier-chain",
        "autoregressive-pixels",
        "taxonomy",
    }
    of_pixels = {"grid", "image-and-mask", "encoding-and-mask"}
    elsewhere = {"semi-markov", "sibling", "grandparent"}  # beside enumeration and loops as well
    assert types == set(names_of(StructuredScore)) - of_labels - of_pixels - elsewhere


@pytest.mark.parametrize("place", ["end", "beginning", "holes"])
@pytest.mark.parametrize(("config", "loop"), CASES, ids=[str(config) for config, _ in CASES])
def test_it_is_what_the_loop_gives_of_the_real_tokens(config, loop, place):
    problem = make_test_problem(space="categorical")
    term = build(config, problem)
    with torch.no_grad():
        for parameter in term.parameters():
            parameter.normal_()
    y = problem.output_space.random(torch.empty(len(LENGTHS), 2, max(LENGTHS), K))
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
    if place == "beginning":
        mask = mask.flip(1)
    if place == "holes":
        mask[:, [1, 2, 4, 5]] = mask[:, [5, 4, 2, 1]]
    scores = term(y, mask)
    for i, real in enumerate(mask):
        for j in range(2):
            torch.testing.assert_close(scores[i, j], loop(term, y[i, j, real]))
    torch.testing.assert_close(term(y[:1]), scores[:1])  # all of the first one is real


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"type": "skip-chain", "order": 0}, "an order of at least 1"),
        ({"type": "high-order", "order": 0, "feedforward": FEEDFORWARD}, "got order 0"),
        ({"type": "high-order", "order": 13, "feedforward": FEEDFORWARD}, "a lower order"),
        ({"type": "convolutional", "width": 4}, "an odd width"),
        ({"type": "convolutional", "num_filters": 0}, "at least 1 filter"),
        ({"type": "self-attention", "hidden_size": 10, "num_heads": 4}, "twice num_heads"),
        ({"type": "self-attention", "window": 0}, "window of at least 1"),
    ],
    ids=str,
)
def test_bad_settings_are_named(config, message):
    with pytest.raises(ConfigurationError, match=message):
        build(config, make_test_problem(space="categorical"))


def build(config, problem):
    return StructuredScore.from_params(
        Params({**config}), num_labels=K, output_space=problem.output_space, encoding_size=6
    )
