"""What networks keep while their weights cannot change."""

import torch

from structured_energy.networks import Network, deterministic, frozen


def test_an_encoding_made_without_gradients_does_not_serve_where_one_is_wanted(world):
    network = world.score_network
    with deterministic(network):
        with torch.no_grad():
            network.encode(world.x)
        with frozen(network):
            assert not network.encode(world.x).requires_grad
        first = network.encode(world.x)
        assert first.requires_grad
        with torch.no_grad(), frozen(network):
            assert network.encode(world.x) is first
        assert network.encode(world.x) is first


class SumOfRealOnes(Network):
    """Its encoding is the sum of the real positions."""

    def compute(self, x, mask):
        return x.sum(1) if mask is None else (x * mask).sum(1)


def test_another_mask_is_another_encoding():
    network, x = SumOfRealOnes(), torch.tensor([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])
    masks = [None, torch.ones(2, 3).bool(), torch.tensor([[1, 0, 0], [1, 1, 0]]).bool()]
    expected = [[7.0, 7.0], [7.0, 7.0], [1.0, 3.0]]
    with frozen(network):
        for _ in range(2):
            for mask, values in zip(masks, expected, strict=True):
                assert network._encoding(x, mask).tolist() == values
        first = network._encoding(x, masks[2])
        assert network._encoding(x, masks[2].clone()) is first
        with network.narrowed(torch.tensor([1])):
            assert network._encoding(x, masks[2][1:]).tolist() == [3.0]
