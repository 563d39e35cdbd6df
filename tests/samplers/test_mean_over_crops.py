"""Predictions by windows against a loop over pixels and their windows."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from structured_energy.output_spaces import BinaryOutputSpace
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import MeanOverCropsSampler, Sampler

SPACE = BinaryOutputSpace()


class Cumulative(Sampler):
    """Predicts the mean of the window for each pixel, so that windows differ; counts calls."""

    def __init__(self, samples=1):
        super().__init__(SPACE)
        self.samples = samples
        self.seen = []

    def propose(self, x, truth, mask=None):
        self.seen.append((x.shape, truth, None if mask is None else mask.shape))
        y = x.mean(1, keepdim=True)
        mean = y.mean((2, 3), keepdim=True)
        return SamplerOutput(((y + mean) / 2).expand(-1, self.samples, -1, -1))


def test_a_pixel_has_the_mean_of_its_windows():
    torch.manual_seed(0)
    x = torch.rand(2, 3, 6, 7)
    constituent = Cumulative()
    sampler = MeanOverCropsSampler(SPACE, constituent, [4, 4], windows_per_side=3)
    means = sampler(x).y
    grey = x.mean(1)
    rows, columns = (0, 1, 2), (0, 1, 3)
    for i, r, c in itertools.product(range(2), range(6), range(7)):
        values = [
            (grey[i, r, c] + grey[i, a : a + 4, b : b + 4].mean()) / 2
            for a, b in itertools.product(rows, columns)
            if a <= r < a + 4 and b <= c < b + 4
        ]
        torch.testing.assert_close(means[i, 0, r, c], torch.stack(values).mean())
    assert [shape for shape, _, _ in constituent.seen] == [(18, 3, 4, 4)]


class Slope(Sampler):
    """Predicts each pixel times its column number, so that a mirror image has another output."""

    def propose(self, x, truth, mask=None):
        kept = x if mask is None else x * mask.unsqueeze(1)
        return SamplerOutput(kept.mean(1, keepdim=True) * torch.arange(x.shape[-1]))


@pytest.mark.parametrize("windows", [1, 2])
def test_a_mirrored_window_has_the_mean_of_both_outputs(windows):
    torch.manual_seed(0)
    x = torch.rand(2, 3, 4, 4 * windows)
    mask = torch.rand(2, 4, 4 * windows) < 0.8
    sampler = MeanOverCropsSampler(SPACE, Slope(SPACE), [4, 4], windows, mirrored=True)
    means = sampler(x, None, mask).y[:, 0]
    column = torch.arange(4 * windows) % 4
    # Column c of 4 is column 3 - c in the mirror.
    expected = (x * mask.unsqueeze(1)).mean(1) * (column + (3 - column)) / 2
    torch.testing.assert_close(means, expected)


def test_gygli_s_36_windows():
    constituent = Cumulative()
    MeanOverCropsSampler(SPACE, constituent, [24, 24])(torch.rand(1, 3, 32, 32))
    assert constituent.seen[0][0] == (36, 3, 24, 24)


def test_masks_are_cut_as_the_images_are():
    constituent = Cumulative()
    sampler = MeanOverCropsSampler(SPACE, constituent, [2, 3], windows_per_side=2)
    sampler(torch.rand(2, 3, 4, 6), None, torch.ones(2, 4, 6, dtype=torch.bool))
    assert constituent.seen == [((8, 3, 2, 3), None, (8, 2, 3))]


def test_with_the_truth_and_without_room_for_windows_it_is_its_constituent():
    constituent = Cumulative()
    sampler = MeanOverCropsSampler(SPACE, constituent, [4, 4])
    x, small = torch.rand(2, 3, 6, 6), torch.rand(2, 3, 4, 3)
    assert torch.equal(sampler(x, torch.ones(2, 6, 6)).y, constituent(x).y)
    assert torch.equal(sampler(small).y, constituent(small).y)
    # An image that is smaller than a window along one side has windows along the other.
    assert sampler(torch.rand(1, 3, 2, 6)).y.shape == (1, 1, 2, 6)


def test_bad_settings_are_named():
    for size, windows in (([4], 2), ([4, 0], 2), ([4, 4], 0)):
        with pytest.raises(ConfigurationError, match="in the sampler 'mean-over-crops', got"):
            MeanOverCropsSampler(SPACE, Cumulative(), size, windows)
    for windows in (1, 2):
        sparse = MeanOverCropsSampler(SPACE, Cumulative(), [4, 4], windows)
        with pytest.raises(ValueError, match="to cover 9 pixels, got . of 4; set windows_per_side"):
            sparse(torch.rand(1, 3, 9, 4))
    for x, means in ((torch.rand(2, 5), r"\(2, 5\)"), ({"tokens": {}}, "dict")):
        for truth in (None, torch.ones(2, 1, 5)):
            with pytest.raises(ValueError, match=f"Expected images .*, got {means}"):
                MeanOverCropsSampler(SPACE, Cumulative(), [4, 4])(x, truth)
    several = MeanOverCropsSampler(SPACE, Cumulative(samples=2), [4, 4])
    with pytest.raises(ValueError, match="Expected one sample of the constituent"):
        several(torch.rand(1, 3, 6, 6))
