"""The cost-augmented network against its formula."""

import torch
from allennlp.common import Params

from structured_energy.samplers import CostAugmentedNetwork


def test_it_adds_a_projection_of_the_logits_and_the_truth():
    torch.manual_seed(0)
    feedforward = {"num_layers": 1, "hidden_dims": 5, "activations": "tanh"}
    network = CostAugmentedNetwork.from_params(Params({"feedforward": feedforward}), output_size=3)
    logits, truth = torch.randn(2, 1, 3), torch.rand(2, 1, 3).round()
    assert torch.equal(network(logits, truth), logits)  # W starts at zero
    W, b = (torch.nn.init.normal_(part) for part in network.projection.parameters())
    V, c = network.feedforward.parameters()
    values = network(logits, truth)
    for z, y, value in zip(logits[:, 0], truth[:, 0], values[:, 0], strict=True):
        expected = z + W @ torch.tanh(V @ torch.cat([z, y]) + c) + b
        torch.testing.assert_close(value, expected)
