"""What networks keep while their weights cannot change."""

import torch

from structured_energy.networks import deterministic, frozen


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
