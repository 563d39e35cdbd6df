"""Encoders of the pixels of images."""

import math
from abc import abstractmethod
from typing import Any, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import interpolate

from .encoder import Encoder


class ImageEncoder(Encoder):
    """The base of convolutional encoders: h `(batch, height, width, output_size)` of images
    `(batch, num_channels, height, width)` of any size.

    # Parameters

    hidden : `List[int]`
        The numbers of channels of the resolutions: the first one is the full resolution, each
        further one is half of the one before.
    num_channels : `int`
        The number of channels of the images.
    dropout : `float`
        The dropout of whole channels of h.

    # Raises

    `ConfigurationError` without a resolution.
    """

    position_dims = 2

    def __init__(self, hidden: List[int], num_channels: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        if not hidden or min(hidden) < 1 or num_channels < 1:
            raise ConfigurationError(
                f"Expected channels for each of at least one resolution in {type(self).__name__}, "
                f"got hidden {hidden} and num_channels {num_channels}."
            )
        self.num_channels = num_channels
        self.down = torch.nn.ModuleList(
            torch.nn.Sequential(
                _block(before, after, stride=2 if number else 1), _block(after, after)
            )
            for number, (before, after) in enumerate(
                zip([num_channels, *hidden[:-1]], hidden, strict=True)
            )
        )
        self.dropout = torch.nn.Dropout2d(dropout)
        self.output_size = hidden[0]

    @abstractmethod
    def join(self, maps: List[torch.Tensor]) -> torch.Tensor:
        """Return h, channels first, of the maps of each resolution."""

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        check_images(self, x, self.num_channels)
        maps = []
        for stage in self.down:
            x = stage(x)
            maps.append(x)
        return self.dropout(self.join(maps)).movedim(1, -1)


@Encoder.register("pixels")
class PixelEncoder(Encoder):
    """The pixels as they are: h_p are the channels of pixel p.

    # Parameters

    num_channels : `int`
        The number of channels of the images.
    """

    position_dims = 2

    def __init__(self, num_channels: int = 3) -> None:
        super().__init__()
        if num_channels < 1:
            raise ConfigurationError(
                f"Expected num_channels of at least 1 in the encoder 'pixels', got {num_channels}."
            )
        self.num_channels = self.output_size = num_channels

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        check_images(self, x, self.num_channels)
        return x.movedim(1, -1)


@Encoder.register("fully-convolutional")
class FullyConvolutionalEncoder(ImageEncoder):
    """Add up the maps of all resolutions, each projected to `output_size` channels and scaled to
    full size (the skip architecture of Long et al. 2015).

    >>> FullyConvolutionalEncoder(hidden=[4, 8])(torch.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 5, 7, 4])
    """

    def __init__(self, hidden: List[int], num_channels: int = 3, dropout: float = 0.0) -> None:
        super().__init__(hidden, num_channels, dropout)
        self.skips = torch.nn.ModuleList(
            torch.nn.Conv2d(channels, self.output_size, 1) for channels in hidden
        )

    def join(self, maps: List[torch.Tensor]) -> torch.Tensor:
        total = self.skips[0](maps[0])
        for skip, coarse in zip(self.skips[1:], maps[1:], strict=True):
            total = total + _resized(skip(coarse), like=total)
        return total


@Encoder.register("u-net")
class UNetEncoder(ImageEncoder):
    """Scale up from the coarsest map, and join at each resolution with the map of the way down
    (Ronneberger et al. 2015).

    >>> UNetEncoder(hidden=[4, 8, 8])(torch.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 5, 7, 4])
    """

    def __init__(self, hidden: List[int], num_channels: int = 3, dropout: float = 0.0) -> None:
        super().__init__(hidden, num_channels, dropout)
        self.up = torch.nn.ModuleList(
            torch.nn.Sequential(_block(fine + coarse, fine), _block(fine, fine))
            for fine, coarse in zip(hidden, hidden[1:], strict=False)
        )

    def join(self, maps: List[torch.Tensor]) -> torch.Tensor:
        h = maps[-1]
        for stage, fine in zip(reversed(self.up), reversed(maps[:-1]), strict=True):
            h = stage(torch.cat([fine, _resized(h, like=fine)], dim=1))
        return h


def _block(before: int, after: int, stride: int = 1) -> torch.nn.Module:
    # Groups of channels are normalised, so that h does not depend on the other images of a batch.
    return torch.nn.Sequential(
        torch.nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
        torch.nn.GroupNorm(math.gcd(8, after), after),
        torch.nn.ReLU(),
    )


def _resized(maps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return interpolate(maps, size=like.shape[2:], mode="bilinear", align_corners=False)


def check_images(owner: torch.nn.Module, x: Any, num_channels: int) -> None:
    """Raise `ValueError` where x is not images of `num_channels` channels."""
    if not isinstance(x, torch.Tensor) or x.dim() != 4 or x.shape[1] != num_channels:
        found = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
        raise ValueError(
            f"Expected images (batch, {num_channels}, height, width) for {type(owner).__name__}, "
            f"got {found}; set its num_channels, or that of the reader."
        )
