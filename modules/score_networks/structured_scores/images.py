"""Terms over an image, or its encoding, and a mask together."""

from abc import abstractmethod
from typing import Any, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn.util import masked_mean
from torch.nn.functional import max_pool2d, softplus

from ...encoders import check_images
from .structured_score import StructuredScore


class _JointScore(StructuredScore):
    """s(x, y) = aᵀ g(mean over pixels of f([x; y])): convolutions f over the channels of the image
    and the mask as one more channel, and a layer g over the mean (after Gygli et al. 2017, whose
    network takes images of one size).

    The mean is over real pixels, at the resolution of the last convolution. The first layer is
    linear, so its part of x is computed once for all y.
    """

    sums_positions = False

    def __init__(self, num_channels: int, hidden: List[int], width: int, dropout: float) -> None:
        super().__init__()
        if not hidden or min(hidden) < 1 or width < 1 or width % 2 == 0:
            raise ConfigurationError(
                "Expected channels for each of at least one convolution and an odd width in "
                f"{type(self).__name__}, got hidden {hidden} and width {width}."
            )
        padding = width // 2
        self.num_channels = num_channels
        self.of_image = torch.nn.Conv2d(num_channels, hidden[0], width, padding=padding)
        self.of_mask = torch.nn.Conv2d(1, hidden[0], width, padding=padding, bias=False)
        self.further = torch.nn.ModuleList(
            torch.nn.Conv2d(before, after, width, stride=2, padding=padding)
            for before, after in zip(hidden, hidden[1:], strict=False)
        )
        self.dropout = torch.nn.Dropout(dropout)
        self.summary = torch.nn.Linear(hidden[-1], hidden[-1])
        self.projection = torch.nn.Linear(hidden[-1], 1, bias=False)

    @abstractmethod
    def image(self, x: Any, h: torch.Tensor) -> torch.Tensor:
        """Return the image `(batch, num_channels, height, width)` of the first layer."""

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        image = self.image(x, h)
        check_images(self, image, self.num_channels)
        return self.of_image(image)

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        if mask is not None:
            y = y.masked_fill(~mask.unsqueeze(1), 0.0)
        rows = self.of_mask(y.flatten(0, 1).unsqueeze(1)).unflatten(0, y.shape[:2])
        maps = softplus(h.unsqueeze(1) + rows).flatten(0, 1)
        for layer in self.further:
            maps = softplus(layer(maps))
        maps = maps.unflatten(0, y.shape[:2])
        if mask is None:
            mean = maps.mean((3, 4))
        else:
            real = self.real_positions(mask)
            mean = masked_mean(maps, real.unsqueeze(1).unsqueeze(1), (3, 4))
        return self.projection(softplus(self.summary(self.dropout(mean)))).squeeze(-1)

    def real_positions(self, mask: torch.Tensor) -> torch.Tensor:
        """Return the mask `(batch, ...)` of the last maps for a mask `(batch, height, width)`.

        A position of the maps is real if one of the pixels between it and the next one is.
        """
        real = mask.unsqueeze(1).to(torch.get_default_dtype())
        for _ in self.further:  # each of stride 2
            real = max_pool2d(real, 2, ceil_mode=True)
        return real.squeeze(1) > 0


@StructuredScore.register("image-and-mask")
class ImageAndMaskScore(_JointScore):
    """s(x, y) = aᵀ g(mean over pixels of f([x; y])): convolutions f over the channels of the image
    x and the mask y as one more channel, and a layer g over the mean (after Gygli et al. 2017,
    whose network takes images of one size).

    The mean is over real pixels, at the resolution of the last convolution.

    # Parameters

    hidden : `List[int]`
        The numbers of channels of the convolutions; all but the first halve the resolution.
    num_channels : `int`
        The number of channels of the image.
    width : `int`
        The width of the windows; odd.
    dropout : `float`
        The dropout of the mean.
    """

    def __init__(
        self, hidden: List[int], num_channels: int = 3, width: int = 5, dropout: float = 0.0
    ) -> None:
        super().__init__(num_channels, hidden, width, dropout)

    def image(self, x: Any, h: torch.Tensor) -> torch.Tensor:
        return x


@StructuredScore.register("encoding-and-mask")
class EncodingAndMaskScore(_JointScore):
    """s(h, y) as in `image-and-mask`, with the encoding h of the pixels in place of the image.

    # Parameters

    hidden : `List[int]`
        The numbers of channels of the convolutions; all but the first halve the resolution.
    width : `int`
        The width of the windows; odd.
    dropout : `float`
        The dropout of the mean.
    """

    def __init__(
        self, encoding_size: int, hidden: List[int], width: int = 5, dropout: float = 0.0
    ) -> None:
        super().__init__(encoding_size, hidden, width, dropout)

    def image(self, x: Any, h: torch.Tensor) -> torch.Tensor:
        return h.movedim(-1, 1)
