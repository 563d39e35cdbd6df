"""Terms over labels in an order, each given those before it: log-probabilities of outputs."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.functional import conv2d, linear, pad, softplus

from ...output_spaces import OutputSpace
from .conditional import check_positive, instance_vectors
from .structured_score import StructuredScore, label_rows


class _AutoregressiveScore(StructuredScore, ABC):
    """s(x, y) = Σ_i log p(y_i | x, y_1, …, y_{i−1})."""

    def __init__(self, output_space: OutputSpace, num_labels: int, encoding_size: int) -> None:
        super().__init__()
        self.output_space = output_space
        self.local = torch.nn.Linear(encoding_size, num_labels)
        self.of_labels = torch.nn.Parameter(torch.zeros(num_labels, num_labels))

    @abstractmethod
    def logits(self, y: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """Return the logit of each label given the labels before it, `(batch, num_samples,
        num_labels)`, with the result h of `encode`."""

    def score(
        self, y: torch.Tensor, mask: Optional[torch.Tensor], h: Optional[torch.Tensor]
    ) -> torch.Tensor:
        assert h is not None
        y = label_rows(self, y, mask)
        return self.output_space.log_prob(self.logits(y, h), y, mask)


@StructuredScore.register("classifier-chain")
class ClassifierChainScore(_AutoregressiveScore):
    """s(x, y) = Σ_i log p(y_i | x, y_1, …, y_{i−1}), where the logit of label i is linear in h and
    in the labels before it: a probabilistic classifier chain (Read et al. 2009; Dembczyński et al.
    2010) in the order of the labels.

    exp s sums to 1 over all y, so that the negative score of the truth, `{type: 'score'}` with the
    sampler `ground-truth`, is the exact negative log-likelihood; use it without other terms and
    without a local term. A relaxed y has the expectation of log p at its mean, with y in the
    conditions. Initially labels do not depend on each other.

    # Raises

    `ValueError` for outputs that are not rows of labels.
    """

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        return self.local(instance_vectors(self, h))

    def logits(self, y: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return h.unsqueeze(1) + linear(y, self.of_labels.tril(-1))


class CausalConv2d(torch.nn.Conv2d):
    """A convolution whose value at a pixel depends on the pixels before it, row by row from the top
    left (van den Oord et al. 2016, section 3.1), of the same size.

    # Parameters

    itself : `bool`
        Whether it also depends on that pixel.
    """

    before: torch.Tensor

    def __init__(self, channels: int, filters: int, width: int, itself: bool) -> None:
        super().__init__(channels, filters, width, padding=width // 2)
        before = torch.zeros(width, width)
        before[: width // 2] = 1.0
        before[width // 2, : width // 2 + itself] = 1.0
        self.register_buffer("before", before, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return conv2d(maps, self.weight * self.before, self.bias, padding=self.padding)


@StructuredScore.register("autoregressive-pixels")
class AutoregressivePixelsScore(_AutoregressiveScore):
    """s(x, y) = Σ_i log p(y_i | x, y_1, …, y_{i−1}) as in `classifier-chain`, for labels y that are
    the last pixels of an image whose first pixels are the features x.

    The image is filled row by row. The logit of a pixel is that of a classifier chain plus the
    output of convolutions over the pixels before it (PixelCNN, van den Oord et al. 2016), with
    residual layers, biases for each pixel and a part of h for each pixel.

    # Parameters

    height, width : `int`
        Of the image. What remains behind the labels is empty.
    channels : `int`
        The number of maps of a convolution.
    num_layers : `int`
        The number of convolutions with a window of 3 after the first one, whose window is 5.
    dropout : `float`
        The dropout of the maps.

    # Raises

    `ValueError` for outputs that are not rows of labels, features that are not vectors, and an
    image without room for both.
    """

    def __init__(
        self,
        output_space: OutputSpace,
        num_labels: int,
        encoding_size: int,
        height: int,
        width: int,
        channels: int = 24,
        num_layers: int = 3,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(output_space, num_labels, encoding_size)
        for name, value in (("height", height), ("width", width), ("channels", channels)):
            check_positive("autoregressive-pixels", name, value)
        if num_layers < 0 or num_labels > height * width:
            raise ConfigurationError(
                f"Expected num_layers ≥ 0 and an image with at least {num_labels} pixels, one for "
                "each label, in the structured score 'autoregressive-pixels', got num_layers "
                f"{num_layers}, height {height} and width {width}."
            )
        self.num_labels = num_labels
        self.height, self.width, self.channels = height, width, channels
        self.conditions = torch.nn.Linear(encoding_size, num_labels * channels)
        self.first = CausalConv2d(2, channels, 5, itself=False)
        self.layers = torch.nn.ModuleList(
            CausalConv2d(channels, channels, 3, itself=True) for _ in range(num_layers)
        )
        self.biases = torch.nn.Parameter(torch.zeros(num_layers + 1, channels, height, width))
        self.dropout = torch.nn.Dropout(dropout)
        self.projections = torch.nn.Parameter(torch.empty(num_labels, channels))
        torch.nn.init.normal_(self.projections, std=channels**-0.5)

    def encode(
        self, x: Any, h: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> Optional[torch.Tensor]:
        h = instance_vectors(self, h)
        if not isinstance(x, torch.Tensor) or x.dim() != 2 or x.is_sparse:
            found = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(
                "Expected dense features (batch, num_features) for the structured score "
                f"'autoregressive-pixels', got {found}."
            )
        if x.shape[1] + self.num_labels > self.height * self.width:
            raise ValueError(
                f"Expected an image with at least {x.shape[1]} + {self.num_labels} pixels, for the "
                "features and the labels, in the structured score 'autoregressive-pixels', got "
                f"{self.height} x {self.width}; correct its height and width."
            )
        return torch.cat([self.local(h), self.conditions(h), x.to(h.dtype)], 1)

    def logits(self, y: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        sizes = [self.num_labels, self.num_labels * self.channels]
        local, conditions, x = h.split([*sizes, h.shape[1] - sum(sizes)], 1)
        rest = self.height * self.width - x.shape[1] - self.num_labels
        pixels = torch.cat([x.unsqueeze(1).expand(-1, y.shape[1], -1), y], 2)
        is_label = pad(torch.ones_like(y), (x.shape[1], 0))
        images = pad(torch.stack([2 * pixels - 1, is_label], 2), (0, rest))
        shape = (self.height, self.width)
        maps = self.first(images.flatten(0, 1).unflatten(2, shape)) + self.biases[0]
        of_pixels = pad(conditions.unflatten(1, (self.channels, -1)), (x.shape[1], rest))
        maps = maps.unflatten(0, y.shape[:2]) + of_pixels.unflatten(2, shape).unsqueeze(1)
        maps = maps.flatten(0, 1)
        for layer, bias in zip(self.layers, self.biases[1:], strict=True):
            maps = maps + layer(self.dropout(softplus(maps))) + bias
        maps = self.dropout(softplus(maps)).flatten(2).narrow(2, x.shape[1], self.num_labels)
        of_maps = (maps * self.projections.T).sum(1).view(y.shape)
        return local.unsqueeze(1) + of_maps + linear(y, self.of_labels.tril(-1))
