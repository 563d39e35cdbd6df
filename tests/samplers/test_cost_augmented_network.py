"""The cost-augmented network against its formula."""

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.output_spaces import BinaryOutputSpace, CategoricalOutputSpace
from structured_energy.samplers import CostAugmentedNetwork

FEEDFORWARD = {"num_layers": 1, "hidden_dims": 5, "activations": "tanh"}
LSTM = {"type": "lstm", "hidden_size": 4, "bidirectional": True}


def tags():
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for tag in "ABC":
        vocab.add_token_to_namespace(tag, "labels")
    return CategoricalOutputSpace(vocab)


def make(space, **parts):
    return CostAugmentedNetwork.from_params(Params(parts), output_space=space, output_size=3)


def test_it_adds_a_projection_of_the_logits_and_the_truth():
    torch.manual_seed(0)
    network = make(BinaryOutputSpace(), feedforward=FEEDFORWARD)
    logits, truth = torch.randn(2, 1, 3), torch.rand(2, 1, 3).round()
    assert torch.equal(network(logits, truth), logits)  # W starts at zero
    W, b = (torch.nn.init.normal_(part) for part in network.projection.parameters())
    V, c = network.feedforward.parameters()
    values = network(logits, truth)
    for z, y, value in zip(logits[:, 0], truth[:, 0], values[:, 0], strict=True):
        expected = z + W @ torch.tanh(V @ torch.cat([z, y]) + c) + b
        torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("parts", [{}, {"feedforward": FEEDFORWARD}], ids=["plain", "feedforward"])
def test_with_an_encoder_it_reads_the_sequences_of_outputs_and_of_true_tags(parts):
    torch.manual_seed(0)
    network = make(tags(), encoder=LSTM, **parts)
    logits = torch.randn(3, 1, 4, 3)
    truth = torch.nn.functional.one_hot(torch.randint(3, (3, 1, 4)), 3).float()
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]]).bool()
    assert torch.equal(network(logits, truth, mask), logits)  # W starts at zero
    for part in network.projection.parameters():
        torch.nn.init.normal_(part)
    values = network(logits, truth, mask)
    lstm = network.encoder._module
    for i, real in enumerate(mask):
        y = torch.cat([logits[i, 0, real].softmax(-1), truth[i, 0, real]], -1)
        h = lstm(y.unsqueeze(0))[0][0]
        if parts:
            V, c = network.feedforward.parameters()
            h = torch.tanh(h @ V.T + c)
        W, b = network.projection.parameters()
        torch.testing.assert_close(values[i, 0, real], logits[i, 0, real] + h @ W.T + b)
    # The output at a token depends on the true tags of others.
    other = truth.clone()
    other[0, 0, 3] = 1 - other[0, 0, 3]
    assert not torch.equal(network(logits, other, mask)[0, 0, 0], values[0, 0, 0])


@pytest.mark.parametrize(
    ("space", "parts", "message"),
    [
        (BinaryOutputSpace(), {"encoder": LSTM}, "the output space 'categorical'"),
        (tags(), {}, "a 'feedforward' or an 'encoder'"),
    ],
)
def test_bad_settings_are_named(space, parts, message):
    with pytest.raises(ConfigurationError, match=message):
        make(space, **parts)
