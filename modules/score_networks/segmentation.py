"""The score network for images."""

from typing import Any, List, Literal, Optional, Tuple

import torch
from allennlp.common import FromParams, Lazy
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import softplus

from ..image_encoders import ImageEncoder
from ..output_spaces import OutputSpace
from .score_network import ScoreNetwork
from .structured_scores import StructuredScore, construct_scores


class ImageAndMaskScore(torch.nn.Module, FromParams):
    """s(x, y) = a g(mean over pixels of f([x; y])): convolutions f over the channels of the image
    and the output as one more, and a layer g over the mean (after Gygli et al. 2017, whose
    network is of one size of images).

    The first layer is linear, so that its part of x is computed once for all y.

    # Parameters

    hidden : `List[int]`
        The channels of each convolution; all but the first halve the resolution.
    num_channels : `int`
        Of the image.
    width : `int`
        Of the windows; odd.
    dropout : `float`
        Of the mean.
    """

    def __init__(
        self,
        hidden: List[int],
        num_channels: int = 3,
        width: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not hidden or min(hidden) < 1 or width < 1 or width % 2 == 0:
            raise ConfigurationError(
                "Expected channels for each of at least one convolution and an odd width in "
                f"{type(self).__name__}, got hidden {hidden} and width {width}."
            )
        padding = width // 2
        self.of_image = torch.nn.Conv2d(num_channels, hidden[0], width, padding=padding)
        self.of_mask = torch.nn.Conv2d(1, hidden[0], width, padding=padding, bias=False)
        self.further = torch.nn.ModuleList(
            torch.nn.Conv2d(before, after, width, stride=2, padding=padding)
            for before, after in zip(hidden, hidden[1:], strict=False)
        )
        self.dropout = torch.nn.Dropout(dropout)
        self.summary = torch.nn.Linear(hidden[-1], hidden[-1])
        self.projection = torch.nn.Linear(hidden[-1], 1, bias=False)

    def forward(self, image: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The scores `(batch, num_samples)` of y `(batch, num_samples, height, width)`, with what
        `of_image` makes of x."""
        rows = self.of_mask(y.flatten(0, 1).unsqueeze(1)).unflatten(0, y.shape[:2])
        h = softplus(image.unsqueeze(1) + rows).flatten(0, 1)
        for layer in self.further:
            h = softplus(layer(h))
        mean = self.dropout(h.mean((2, 3)))
        return self.projection(softplus(self.summary(mean))).view(y.shape[:2])


@ScoreNetwork.register("segmentation")
class SegmentationScoreNetwork(ScoreNetwork):
    """s(x, y) = Σ_p y_p (bᵀ h_p + c) + Σ_k s_k(y) + r(x, y) + q(h, y), with h_p the encoding of
    pixel p in its image, r a score of image and mask together and q one of encoding and mask.

    # Parameters

    encoder : `ImageEncoder`, optional
        Without it there is no local term.
    structured_scores : `List[Lazy[StructuredScore]]`, optional
        The terms over the pixels, for example `grid`.
    image_and_mask : `ImageAndMaskScore`, optional
        r.
    encoding_and_mask : `Lazy[ImageAndMaskScore]`, optional
        q, which sees the encoding in the place of the image; its `num_channels` are the encoder's.
    pixels : `"sum"` or `"mean"`
        Whether the terms over pixels, local and structured, are added up, as in a random field, or
        divided by the number of real pixels: for a score that stands for a value in [0, 1], and has
        to stay near 0 whatever the size of an image.

    # Raises

    `ConfigurationError` where there is no term at all, or an `encoding_and_mask` without encoder.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        encoder: Optional[ImageEncoder] = None,
        structured_scores: Optional[List[Lazy[StructuredScore]]] = None,
        image_and_mask: Optional[ImageAndMaskScore] = None,
        encoding_and_mask: Optional[Lazy[ImageAndMaskScore]] = None,
        pixels: Literal["sum", "mean"] = "sum",
    ) -> None:
        super().__init__(output_space, construct_scores(structured_scores, None, output_space))
        if pixels not in ("sum", "mean"):
            raise ConfigurationError(
                "Expected pixels to be 'sum' or 'mean' in the score network 'segmentation', got "
                f"'{pixels}'."
            )
        self.encoder = encoder
        self.image_and_mask = image_and_mask
        self.pixels = pixels
        if encoder is None and self.image_and_mask is None and not self.structured_scores:
            raise ConfigurationError(
                "Expected an encoder, structured_scores or image_and_mask in the score network "
                "'segmentation', got none."
            )
        if encoder is not None:
            self.projection = torch.nn.Conv2d(encoder.output_size, 1, 1)
        self.encoding_and_mask: Optional[ImageAndMaskScore] = None
        if encoding_and_mask is not None:
            if encoder is None:
                raise ConfigurationError(
                    "Expected an encoder for the encoding_and_mask of the score network "
                    "'segmentation', got none."
                )
            self.encoding_and_mask = encoding_and_mask.construct(num_channels=encoder.output_size)

    def compute(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        """The potentials as the first channel, and after them what r and q need."""
        encoded = None if self.encoder is None else self.encoder(x)
        parts = [x.new_zeros(x[:, :1].shape) if encoded is None else self.projection(encoded)]
        parts += [joint.of_image(x if of_x else encoded) for joint, of_x in self._joint()]
        return torch.cat(parts, dim=1)

    def _joint(self) -> List[Tuple[ImageAndMaskScore, bool]]:
        """r and q, where they are, each with whether it is of the image itself."""
        both = [(self.image_and_mask, True), (self.encoding_and_mask, False)]
        return [(joint, of_x) for joint, of_x in both if joint is not None]

    def potentials(self, encoding: torch.Tensor) -> torch.Tensor:
        return encoding[:, 0]

    def score(
        self, encoding: torch.Tensor, y: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        score = super().score(encoding, y, mask)
        if self.pixels == "mean":
            size = y[0, 0].numel() if mask is None else mask.sum((1, 2)).clamp(min=1).unsqueeze(1)
            score = score / size
        if mask is not None:
            y = y.masked_fill(~mask.unsqueeze(1), 0.0)
        start = 1
        for joint, _ in self._joint():
            end = start + joint.of_image.out_channels
            score = score + joint(encoding[:, start:end], y)
            start = end
        return score
