"""Predictions for an image as the mean of the predictions for its windows."""

from typing import Any, List, Optional

import torch
from allennlp.common.checks import ConfigurationError

from ..data.images import check_size
from ..encoded import Encoded
from ..losses import Loss
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from .sampler import Sampler


@Sampler.register("mean-over-crops")
class MeanOverCropsSampler(Sampler):
    """The mean prediction for each pixel over the windows that contain it (Gygli et al. 2017: 36
    windows of 24x24 pixels of an image of 32x32).

    Given the truth, it samples as its constituent does, from the whole image. An image that is not
    larger than a window has one window.

    # Parameters

    constituent : `Sampler`
        The sampler of the predictions for windows, with one sample.
    size : `List[int]`
        Height and width of a window.
    windows_per_side : `int`
        The number of rows of windows, and of windows in a row, spread evenly from edge to edge.
    mirrored : `bool`
        Whether to include the mirror image (left and right exchanged) of each window, for a
        constituent that is trained on mirrored images.

    # Raises

    `ConfigurationError` for a size or a number below 1.
    `ValueError` for inputs other than images, windows that do not cover the image, or several
        samples.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        constituent: Sampler,
        size: List[int],
        windows_per_side: int = 6,
        mirrored: bool = False,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, loss, log_key)
        check_size(size, "the sampler 'mean-over-crops'")
        if windows_per_side < 1:
            raise ConfigurationError(
                "Expected windows_per_side of at least 1 in the sampler 'mean-over-crops', got "
                f"{windows_per_side}."
            )
        self.constituent = constituent
        self.size = size
        self.windows_per_side = windows_per_side
        self.mirrored = mirrored
        self.adopt_constituent(constituent, "constituent")

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        images = Encoded.input(x)
        if not isinstance(images, torch.Tensor) or images.dim() != 4:
            is_tensor = isinstance(images, torch.Tensor)
            found = tuple(images.shape) if is_tensor else type(images).__name__
            raise ValueError(
                "Expected images (batch, channels, height, width) for the sampler "
                f"'mean-over-crops', got {found}."
            )
        if truth is not None:
            return self.constituent.sample(x, truth, mask)
        whole = images.shape[-2:]
        height, width = (min(pair) for pair in zip(self.size, whole, strict=True))
        places = [
            (..., slice(row, row + height), slice(column, column + width))
            for row in self._starts(whole[0], height)
            for column in self._starts(whole[1], width)
        ]
        crops = torch.cat([images[place] for place in places])
        real = None if mask is None else torch.cat([mask[place] for place in places])
        if self.mirrored:
            crops = torch.cat([crops, crops.flip(-1)])
            real = None if real is None else torch.cat([real, real.flip(-1)])
        outputs = self.constituent.sample(crops, None, real).y
        if outputs.shape[1] > 1:
            raise ValueError(
                "Expected one sample of the constituent of the sampler 'mean-over-crops', got "
                f"{outputs.shape[1]}."
            )
        if self.mirrored:
            plain, mirrored = outputs.chunk(2)
            outputs = (plain + mirrored.flip(-1)) / 2
        total = outputs.new_zeros(len(images), 1, *whole)
        count = outputs.new_zeros(whole)
        for place, y in zip(places, outputs.split(len(images)), strict=True):
            total[place] += y
            count[place] += 1
        return SamplerOutput(total / count)

    def _starts(self, whole: int, part: int) -> List[int]:
        """Return the first pixel of each window along a side of the image."""
        gaps = max(self.windows_per_side - 1, 1)
        starts = sorted({(whole - part) * i // gaps for i in range(self.windows_per_side)})
        if any(
            after - before > part
            for before, after in zip(starts, [*starts[1:], whole], strict=True)
        ):
            raise ValueError(
                f"Expected enough windows for the sampler 'mean-over-crops' to cover {whole} "
                f"pixels, got {self.windows_per_side} of {part}; set windows_per_side to "
                f"{-(-whole // part)} at least."
            )
        return starts
