"""What the networks of images have in common: pixels to a vector for each, in their image."""

import math
from abc import ABC, abstractmethod
from typing import List

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import interpolate


class ImageEncoder(torch.nn.Module, Registrable, ABC):
    """h, `(batch, output_size, height, width)`, of images `(batch, num_channels, height, width)` of
    any size.

    # Parameters

    hidden : `List[int]`
        The channels of each resolution, the first one whole, each further one half of that before.
    num_channels : `int`
        Of the images.
    dropout : `float`
        Of whole channels of h.

    # Raises

    `ConfigurationError` without a resolution.
    """

    def __init__(self, hidden: List[int], num_channels: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        if not hidden or min(hidden) < 1 or num_channels < 1:
            raise ConfigurationError(
                f"Expected channels for each of at least one resolution in {type(self).__name__}, "
                f"got hidden {hidden} and num_channels {num_channels}."
            )
        self.output_size = hidden[0]
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

    @abstractmethod
    def join(self, maps: List[torch.Tensor]) -> torch.Tensor:
        """h of the maps of each resolution."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The encodings.

        # Raises

        `ValueError` for images of another number of channels.
        """
        if x.shape[1] != self.num_channels:
            raise ValueError(
                f"Expected images of {self.num_channels} channels for {type(self).__name__}, got "
                f"{x.shape[1]}; set its num_channels, or that of the reader."
            )
        maps = []
        for stage in self.down:
            x = stage(x)
            maps.append(x)
        return self.dropout(self.join(maps))


@ImageEncoder.register("fully-convolutional")
class FullyConvolutionalEncoder(ImageEncoder):
    """The maps of all resolutions, brought to one number of channels and to full size, added up
    (the skip architecture of Long et al. 2015).

    >>> FullyConvolutionalEncoder(hidden=[4, 8])(torch.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 4, 5, 7])
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


@ImageEncoder.register("u-net")
class UNetEncoder(ImageEncoder):
    """Back up from the coarsest map, at each resolution joined with the map of the way down
    (Ronneberger et al. 2015).

    >>> UNetEncoder(hidden=[4, 8, 8])(torch.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 4, 5, 7])
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
    # Normalised by groups of channels: what comes of an image does not depend on its batch.
    return torch.nn.Sequential(
        torch.nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
        torch.nn.GroupNorm(math.gcd(8, after), after),
        torch.nn.ReLU(),
    )


def _resized(maps: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return interpolate(maps, size=like.shape[2:], mode="bilinear", align_corners=False)
