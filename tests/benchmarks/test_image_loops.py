"""The plain loop that training on images is timed against computes what the framework does."""

import copy

import torch
from allennlp.common import Params
from allennlp.data import Vocabulary

from benchmarks import common, image_loops
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.score_networks import ScoreNetwork
from structured_energy.task_networks import TaskNetwork


def config():
    return common.config_of("weizmann_horses", "seal_dynamic_dvn")["model"]


def copied(source, target):
    """The weights of `source` in `target`, in their order."""
    pairs = zip(source.parameters(), target.parameters(), strict=True)
    with torch.no_grad():
        for ours, theirs in pairs:
            theirs.copy_(torch.randn_like(theirs) / 3)
            ours.copy_(theirs.view_as(ours))


def test_the_task_network_is_the_same():
    torch.manual_seed(0)
    network = TaskNetwork.from_params(
        Params(copy.deepcopy(config()["task_network"])),
        vocab=Vocabulary(),
        output_space=BinaryOutputSpace(),
    ).eval()
    plain = image_loops.UNet(config()["task_network"]["encoder"]).eval()
    copied(network, plain)
    x = torch.rand(2, 3, 24, 24)
    torch.testing.assert_close(plain(x), network(x))


def test_the_score_network_is_the_same():
    torch.manual_seed(0)
    settings = config()["score_network"]
    network = ScoreNetwork.from_params(
        Params(copy.deepcopy(settings)), vocab=Vocabulary(), output_space=BinaryOutputSpace()
    ).eval()
    plain = image_loops.Score(settings).eval()
    copied(network.encoder, _encoder(plain))
    copied(network.projection, plain.local.last)
    copied(network.structured_scores[0], _encoding_and_mask(plain))
    x, y = torch.rand(2, 3, 24, 24), torch.rand(2, 3, 24, 24)
    torch.testing.assert_close(plain(plain.of_x(x), y), network(x, y))


def _encoder(plain):
    return torch.nn.ModuleList([plain.local.first, plain.local.down, plain.local.up])


def _encoding_and_mask(plain):
    return torch.nn.ModuleList([plain.of_features, plain.of_mask, plain.summary])
