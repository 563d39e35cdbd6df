"""Scores of images and masks, against plain loops over pixels and plain convolutions."""

import copy
import itertools

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.functional import conv2d, softplus

from structured_energy.encoded import Encoded
from structured_energy.networks import frozen
from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.score_networks import (
    EncodingAndMaskScore,
    GridScore,
    ImageAndMaskScore,
    ScoreNetwork,
)
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import make_test_problem

SPACE = BinaryOutputSpace()
U_NET = {"type": "u-net", "hidden": [4, 4]}
IMAGE_AND_MASK = {"type": "image-and-mask", "hidden": [4, 5], "width": 3}


def build(*terms, encoder=U_NET, **settings):
    params = {"encoder": encoder, "structured_scores": list(terms), **settings}
    return ScoreNetwork.from_params(
        Params(copy.deepcopy(params)), vocab=Vocabulary(), output_space=SPACE
    )


def local_term(network, x, y):
    """Return the sum over pixels of y times the projection of its encoding, and the encoding."""
    h = network.encoder(x)
    (weight,), (bias,) = network.projection.weight, network.projection.bias
    return torch.einsum("bshw,bhwc,c->bs", y, h, weight) + bias * y.sum((2, 3)), h


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture()
def grid():
    grid = GridScore(SPACE)
    for parameter in grid.parameters():
        torch.nn.init.normal_(parameter)
    return grid


def pairs_of(grid, y, real):
    """Return the score of one mask, pair by pair; of discrete pixels it is the table's entry."""
    height, width = y.shape
    score = torch.zeros(())
    for row, column in itertools.product(range(height), range(width)):
        for direction, (below, right) in enumerate([(0, 1), (1, 0)]):
            other = (row + below, column + right)
            if other[0] == height or other[1] == width:
                continue
            if not (real[row, column] and real[other]):
                continue
            p, q = y[row, column], y[other]
            same, falling, rising = (
                table[direction] for table in (grid.same, grid.falling, grid.rising)
            )
            chances = {(1, 1): p * q, (0, 0): (1 - p) * (1 - q)}
            chances |= {(1, 0): p * (1 - q), (0, 1): (1 - p) * q}
            table = {(1, 1): same, (0, 0): same, (1, 0): falling, (0, 1): rising}
            score = score + sum(table[pair] * chances[pair] for pair in table)
    return score


@pytest.mark.parametrize("masked", [False, True])
def test_the_grid_is_the_sum_over_pairs_of_neighbours(grid, masked):
    y = torch.rand(2, 3, 4, 5)
    real = torch.rand(2, 4, 5) < 0.7 if masked else torch.ones(2, 4, 5, dtype=torch.bool)
    scores = grid(y, real if masked else None)
    for i, j in itertools.product(range(2), range(3)):
        torch.testing.assert_close(scores[i, j], pairs_of(grid, y[i, j], real[i]))


def test_a_single_pixel_has_no_neighbour(grid):
    assert grid(torch.rand(1, 1, 1, 1)).item() == 0


@pytest.fixture()
def joint():
    return ImageAndMaskScore(hidden=[4, 5], num_channels=3, width=3)


def test_image_and_mask_are_the_channels_of_one_convolution(joint):
    x, y = torch.rand(2, 3, 6, 7), torch.rand(2, 4, 6, 7)
    scores = joint(y, h=joint.encode(x, None, None))
    weight = torch.cat([joint.of_image.weight, joint.of_mask.weight], dim=1)
    (layer,) = joint.further
    for j in range(4):
        channels = torch.cat([x, y[:, j : j + 1]], dim=1)
        h = softplus(conv2d(channels, weight, joint.of_image.bias, padding=1))
        h = softplus(conv2d(h, layer.weight, layer.bias, stride=2, padding=1))
        hidden = softplus(h.mean((2, 3)) @ joint.summary.weight.T + joint.summary.bias)
        torch.testing.assert_close(scores[:, j], (hidden @ joint.projection.weight.T)[:, 0])


@pytest.mark.parametrize("sizes", [(6, 7), (5, 5), (1, 2)])
@pytest.mark.parametrize("hidden", [[4], [4, 5], [4, 5, 3]])
def test_the_mean_is_over_real_pixels(hidden, sizes):
    term = ImageAndMaskScore(hidden=hidden, width=3)
    x, y, mask = torch.rand(3, 3, *sizes), torch.rand(3, 2, *sizes), torch.rand(3, *sizes) < 0.4
    mask[2] = False
    scores = term(y, mask, term.encode(x, None, mask))
    stride = 2 ** (len(hidden) - 1)
    weight = torch.cat([term.of_image.weight, term.of_mask.weight], dim=1)
    for i, j in itertools.product(range(3), range(2)):
        maps = torch.cat([x[i], (y[i, j] * mask[i])[None]])[None]
        maps = softplus(conv2d(maps, weight, term.of_image.bias, padding=1))
        for layer in term.further:
            maps = softplus(conv2d(maps, layer.weight, layer.bias, stride=2, padding=1))
        vectors = [
            maps[0, :, row, column]
            for row, column in itertools.product(*map(range, maps.shape[2:]))
            if any(
                mask[i, r, c]
                for r in range(stride * row, min(stride * (row + 1), sizes[0]))
                for c in range(stride * column, min(stride * (column + 1), sizes[1]))
            )
        ]
        assert bool(vectors) == bool(mask[i].any())
        mean = sum(vectors) / len(vectors) if vectors else torch.zeros(hidden[-1])
        score = term.projection.weight[0] @ softplus(term.summary(mean))
        torch.testing.assert_close(scores[i, j], score)


def test_encoding_and_mask_is_the_same_of_the_encoding():
    term = EncodingAndMaskScore(encoding_size=3, hidden=[4, 5], width=3)
    same = ImageAndMaskScore(hidden=[4, 5], width=3)
    same.load_state_dict(term.state_dict())
    h, y = torch.rand(2, 6, 7, 3), torch.rand(2, 4, 6, 7)
    image = h.movedim(-1, 1)
    torch.testing.assert_close(
        term(y, h=term.encode(None, h, None)), same(y, h=same.encode(image, None, None))
    )


def test_the_terms_add_up_and_the_image_is_encoded_once(joint, grid):
    network = build("grid", IMAGE_AND_MASK)
    network.structured_scores[0].load_state_dict(grid.state_dict())
    network.structured_scores[1].load_state_dict(joint.state_dict())
    x, y = torch.rand(2, 3, 6, 7), torch.rand(2, 4, 6, 7)
    local, h = local_term(network, x, y)
    expected = local + grid(y) + joint(y, h=joint.encode(x, h, None))
    torch.testing.assert_close(network(x, y), expected)
    torch.testing.assert_close(network.potentials(x), network.projection(h))
    calls = []
    network.structured_scores[1].of_image.register_forward_hook(lambda *_: calls.append(1))
    encoded = Encoded(x)
    with frozen(network):
        for _ in range(3):
            scores = network(encoded, y)
        rows = encoded.rows(torch.tensor([1]))
        torch.testing.assert_close(network(rows, y[1:]), expected[1:])
    torch.testing.assert_close(scores, expected)
    assert len(calls) == 1


@pytest.mark.parametrize("masked", [False, True])
def test_a_mean_over_pixels_is_the_sum_over_their_number(grid, masked):
    settings = {"type": "encoding-and-mask", "hidden": [3], "width": 1}
    network = build("grid", settings, positions="mean")
    network.structured_scores[0].load_state_dict(grid.state_dict())
    x, y = torch.rand(2, 3, 6, 7), torch.rand(2, 4, 6, 7)
    real = torch.rand(2, 6, 7) < 0.7 if masked else torch.ones(2, 6, 7, dtype=torch.bool)
    mask = real if masked else None
    seen = y * real.unsqueeze(1)
    local, h = local_term(network, x, seen)
    total = local + grid(y, mask)
    # A window of one pixel: a layer of its encoding and its output.
    joint = network.structured_scores[1]
    of_h, of_y = joint.of_image.weight[:, :, 0, 0], joint.of_mask.weight[:, 0, 0, 0]
    bias = joint.of_image.bias.view(-1, 1, 1)
    layer = torch.einsum("oc,bhwc->bohw", of_h, h).unsqueeze(1)
    hidden = softplus(layer + of_y.view(-1, 1, 1) * seen.unsqueeze(2) + bias)
    hidden = torch.einsum("bsohw,bhw->bso", hidden, real.double()) / real.sum((1, 2)).view(-1, 1, 1)
    joined = softplus(hidden @ joint.summary.weight.T + joint.summary.bias)
    expected = total / real.sum((1, 2)).unsqueeze(1) + (joined @ joint.projection.weight.T)[..., 0]
    torch.testing.assert_close(network(x, y, mask), expected)


def test_without_a_local_term_only_the_others_count(joint):
    network = build(IMAGE_AND_MASK, encoder={"type": "pixels"}, local_term=False)
    network.structured_scores[0].load_state_dict(joint.state_dict())
    x, y = torch.rand(2, 3, 6, 7), torch.rand(2, 4, 6, 7)
    torch.testing.assert_close(network(x, y), joint(y, h=joint.encode(x, None, None)))
    assert (network.potentials(x) == 0).all() and network.potentials(x).shape == (2, 6, 7)


def test_it_is_differentiable_in_y(joint):
    image = joint.encode(torch.rand(1, 3, 4, 4), None, None).detach()
    y = torch.rand(1, 2, 4, 4, requires_grad=True)
    assert torch.autograd.gradcheck(lambda y: joint(y, h=image), [y])


def test_bad_settings_are_named():
    with pytest.raises(ConfigurationError, match="without a local term, got none"):
        build(local_term=False)
    with pytest.raises(ConfigurationError, match="'sum' or 'mean' .* got 'max'"):
        build("grid", positions="max")
    for settings in ({"hidden": []}, {"hidden": [3], "width": 2}):
        with pytest.raises(ConfigurationError, match="and an odd width in ImageAndMaskScore, got"):
            ImageAndMaskScore(**settings)
    for term, name in (
        ({"type": "linear-chain"}, "LinearChainScore"),
        ({"type": "label-attention"}, "LabelAttentionScore"),
    ):
        message = f"labels or tags .* {name}, .* UNetEncoder in the .* BinaryOutputSpace; choose"
        with pytest.raises(ConfigurationError, match=message):
            build(term)


def test_a_task_network_of_images_gives_a_logit_for_each_pixel():
    network = TaskNetwork.from_params(
        Params({"encoder": copy.deepcopy(U_NET)}), vocab=Vocabulary(), output_space=SPACE
    )
    x = torch.rand(2, 3, 5, 6)
    h = network.encoder(x)
    assert h.shape == (2, 5, 6, 4)
    expected = h @ network.projection.weight[0] + network.projection.bias
    torch.testing.assert_close(network(x), expected)
    with pytest.raises(ConfigurationError, match="leave out the cost_augmented_network"):
        make_test_problem(space="image").task_network.output_size  # noqa: B018
