"""Encodings of pixels: of every size of images, each image by itself, near and far."""

import itertools

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from structured_energy.encoders import Encoder, FullyConvolutionalEncoder, PixelEncoder

NAMES = ["fully-convolutional", "u-net"]


def build(name, **settings):
    torch.manual_seed(0)
    return Encoder.from_params(Params({"type": name, "hidden": [6, 8, 4], **settings})).eval()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (13, 7)])
def test_every_pixel_of_images_of_every_size(name, size):
    x = torch.rand(2, 3, *size)
    encoder = build(name)
    h = encoder(x)
    assert h.shape == (2, *size, encoder.output_size) and h.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_images_of_a_batch_do_not_see_each_other(name):
    x = torch.rand(3, 3, 9, 9)
    encoder = build(name)
    together = encoder(x)
    torch.testing.assert_close(encoder(x[1:2]), together[1:2])


@pytest.mark.parametrize("name", NAMES)
def test_a_pixel_sees_far_and_its_own_place(name):
    encoder = build(name)
    x = torch.rand(1, 3, 24, 24, requires_grad=True)
    (gradient,) = torch.autograd.grad(encoder(x)[0, 12, 12].sum(), x)
    reach = gradient[0].abs().sum(0)
    assert reach[12, 12] > 0 and (reach[4:20, 4:20] > 0).all()
    near, far = reach[10:15, 10:15].mean(), reach[12, :4].mean()
    assert near > far


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_learns(name):
    encoder = build(name)
    encoder(torch.rand(2, 3, 8, 8)).square().sum().backward()
    for key, parameter in encoder.named_parameters():
        assert parameter.grad.abs().sum() > 0, key


def test_dropout_takes_whole_channels_in_training():
    encoder = build("u-net", dropout=0.5).train()
    h = encoder(torch.rand(20, 3, 8, 8))
    gone = (h == 0).all(2).all(1)
    assert 0.3 < gone.float().mean() < 0.7


def test_the_resolutions_are_added_up():
    encoder = build("fully-convolutional")
    x = torch.rand(1, 3, 8, 8)
    maps = [encoder.down[0](x)]
    for stage in encoder.down[1:]:
        maps.append(stage(maps[-1]))
    assert [tuple(each.shape[2:]) for each in maps] == [(8, 8), (4, 4), (2, 2)]
    expected = sum(
        torch.nn.functional.interpolate(skip(each), size=(8, 8), mode="bilinear")
        for skip, each in zip(encoder.skips, maps, strict=True)
    )
    torch.testing.assert_close(encoder(x).movedim(-1, 1), expected)


@pytest.mark.parametrize("settings", [{"hidden": []}, {"hidden": [0]}, {"num_channels": 0}])
def test_bad_settings_are_named(settings):
    with pytest.raises(ConfigurationError, match="Expected channels for each of at least one"):
        FullyConvolutionalEncoder(**{"hidden": [4], **settings})


def test_the_pixels_are_the_channels_of_each_pixel():
    x = torch.rand(2, 4, 3, 5)
    h = PixelEncoder(num_channels=4)(x)
    assert h.shape == (2, 3, 5, 4)
    for i, row, column in itertools.product(range(2), range(3), range(5)):
        assert torch.equal(h[i, row, column], x[i, :, row, column])


@pytest.mark.parametrize("name", [*NAMES, "pixels"])
@pytest.mark.parametrize("x", [torch.rand(2, 4, 3, 3), torch.rand(2, 3, 3), {"tokens": 1}])
def test_other_inputs_are_named(name, x):
    settings = {} if name == "pixels" else {"hidden": [4]}
    encoder = Encoder.from_params(Params({"type": name, **settings}))
    with pytest.raises(ValueError, match=r"Expected images \(batch, 3, height, width\) .*, got"):
        encoder(x)


def test_pixels_without_channels_are_refused():
    with pytest.raises(ConfigurationError, match="num_channels of at least 1 .*'pixels', got 0"):
        PixelEncoder(num_channels=0)
