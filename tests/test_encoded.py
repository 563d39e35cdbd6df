"""When the encoding of an input is computed, and when the one before is read."""

import pytest
import torch

from structured_energy.encoded import Encoded
from structured_energy.networks import Network, deterministic, frozen
from structured_energy.score_networks import ScoreNetwork
from structured_energy.testing import make_test_problem


class Counted(Network):
    """Encodes x as W x with dropout, and a part without an encoding; counts its calls."""

    def __init__(self, takes_encoded=False):
        super().__init__()
        self.takes_encoded = takes_encoded
        self.linear = torch.nn.Linear(4, 3)
        self.dropout = torch.nn.Dropout(0.5)
        self.inputs = []

    def encode(self, x, mask):
        self.inputs.append(x)
        h = self.dropout(self.linear(Encoded.input(x)))
        return (h if mask is None else h * mask, None)


@pytest.fixture()
def network():
    torch.manual_seed(0)
    return Counted()


@pytest.fixture()
def x():
    return torch.randn(5, 4)


def test_it_is_computed_once_in_evaluation(network, x):
    encoded = Encoded(x)
    network.eval()
    first = network.encoding(encoded)
    torch.testing.assert_close(first[0], network.linear(x))
    assert network.encoding(encoded) is first and first[1] is None
    with frozen(network), torch.no_grad():
        assert network.encoding(encoded) is first
    assert len(network.inputs) == 1


@pytest.mark.parametrize("scope", [frozen, deterministic])
def test_it_is_computed_once_without_dropout_in_training(network, x, scope):
    encoded = Encoded(x)
    for _ in range(2):
        with scope(network):
            torch.testing.assert_close(network.encoding(encoded)[0], network.linear(x))
    assert len(network.inputs) == 1


def test_dropout_is_drawn_at_each_call_in_training(network, x):
    encoded = Encoded(x)
    first, second = network.encoding(encoded)[0], network.encoding(encoded)[0]
    assert not torch.equal(first, second) and len(network.inputs) == 2
    assert network.encoding(encoded)[0] is encoded.latest(network, None)[0]
    with frozen(network):  # one with dropout is no encoding without
        torch.testing.assert_close(network.encoding(encoded)[0], network.linear(x))


def test_an_input_itself_is_encoded_at_each_call(network, x):
    network.eval()
    torch.testing.assert_close(network.encoding(x), network.encoding(x))
    assert len(network.inputs) == 2


def test_another_mask_gives_another_encoding(network, x):
    network.eval()
    first, second = torch.ones(5, 1, dtype=torch.bool), torch.zeros(5, 1, dtype=torch.bool)
    encoded = Encoded(x, first)
    torch.testing.assert_close(network.encoding(encoded, first)[0], network.linear(x))
    for read in (encoded.encoding, encoded.latest):
        assert (read(network, second)[0] == 0).all()
        torch.testing.assert_close(read(network, None)[0], network.linear(x))
        torch.testing.assert_close(read(network, first)[0], network.linear(x))
    # One object with other contents is the same mask: a mask must not change.
    assert Encoded.of(encoded, first) is encoded
    other = Encoded.of(encoded, second)
    assert other is not encoded and other.x is x and other.mask is second


def test_a_sentence_with_another_mask_is_encoded_again():
    problem = make_test_problem(space="categorical")
    network = problem.build(
        ScoreNetwork,
        """{encoder: {
          type: 'tokens',
          embedder: {token_embedders: {tokens: {type: 'embedding', embedding_dim: 5}}},
          encoder: {type: 'lstm', input_size: 5, hidden_size: 4, bidirectional: true},
        }}""",
    ).eval()
    shorter = problem.mask.clone()
    shorter[:, 1:] = False
    y, encoded = problem.sample().y, Encoded(problem.x, problem.mask)
    whole = network(encoded, y, problem.mask)
    torch.testing.assert_close(network(encoded, y, shorter), network(problem.x, y, shorter))
    torch.testing.assert_close(network(encoded, y, problem.mask), whole)
    # The first token alone: its backward state is another one than in the sentence.
    first, alone = (network.potentials(encoded, mask)[:, 0] for mask in (problem.mask, shorter))
    assert (first - alone).abs().amin(dim=1).max() > 1e-6


def test_an_encoding_without_gradients_does_not_serve_where_they_are_wanted(network, x):
    encoded = Encoded(x)
    with deterministic(network):
        with torch.no_grad():
            assert not network.encoding(encoded)[0].requires_grad
        with frozen(network):
            assert not network.encoding(encoded)[0].requires_grad
        first = network.encoding(encoded)
        assert first[0].requires_grad
        with torch.no_grad(), frozen(network):
            assert network.encoding(encoded) is first
        assert network.encoding(encoded) is first
    assert len(network.inputs) == 2
    (gradient,) = torch.autograd.grad(first[0].sum(), network.linear.weight)
    torch.testing.assert_close(gradient, x.sum(0).expand(3, -1))


@pytest.mark.parametrize("masked", [False, True])
def test_rows_are_rows_of_the_whole(network, x, masked):
    network.eval()
    mask = torch.rand(5, 3) < 0.5 if masked else None
    index = torch.tensor([3, 0])
    encoded = Encoded(x, mask)
    rows = encoded.rows(index)
    of_rows = network.encoding(rows, rows.mask)[0]
    assert torch.equal(of_rows, network.encoding(encoded, mask)[0][index])
    assert network.encoding(rows, rows.mask)[0] is of_rows and len(network.inputs) == 1
    again = rows.rows(torch.tensor([1]))
    assert torch.equal(network.encoding(again, again.mask)[0], of_rows[1:])
    assert torch.equal(rows.x, x[index]) and torch.equal(again.x, x[:1])
    assert len(network.inputs) == 1


def test_rows_with_another_mask_are_encoded_by_themselves(network, x):
    network.eval()
    index, mask = torch.tensor([3, 0]), torch.tensor([[True], [False]])
    expected = network.linear(x)[index] * mask
    rows = Encoded(x).rows(index)
    torch.testing.assert_close(network.encoding(rows, mask)[0], expected)
    torch.testing.assert_close(rows.latest(network, mask)[0], expected)
    torch.testing.assert_close(network.encoding(Encoded.of(rows, mask), mask)[0], expected)


def test_the_latest_encoding_of_rows_is_that_of_the_whole(network, x):
    encoded, index = Encoded(x), torch.tensor([2, 2, 4])
    with_dropout = network.encoding(encoded)[0]
    assert torch.equal(encoded.rows(index).latest(network, None)[0], with_dropout[index])
    assert len(network.inputs) == 1


def test_rows_of_the_tensors_of_a_text_field():
    problem = make_test_problem(space="categorical")
    rows = Encoded({**problem.x, "names": ["a", "b", "c"]}, problem.mask).rows(torch.tensor([2, 0]))
    assert torch.equal(rows.x["tokens"]["tokens"], problem.x["tokens"]["tokens"][[2, 0]])
    assert rows.x["names"] == ["c", "a"] and torch.equal(rows.mask, problem.mask[[2, 0]])


def test_half_precision_becomes_single(network, x):
    network.eval().to(torch.bfloat16)
    for given in (x.bfloat16(), Encoded(x.bfloat16())):
        assert network.encoding(given)[0].dtype == torch.float32


def test_after_a_step_only_constant_encodings_are_kept(x):
    fixed, trained, dependent = Counted(), Counted(), Counted(takes_encoded=True)
    networks, encoded = (fixed, trained, dependent), Encoded(x)
    with frozen(fixed, dependent):
        for _ in range(2):
            trained.eval()
            for network in networks:
                network.encoding(encoded)
            encoded.forget_trained()
    assert [len(network.inputs) for network in networks] == [1, 2, 2]
    # Only one that asks for the encodings of others is given them.
    assert fixed.inputs[0] is x and dependent.inputs[0] is encoded
