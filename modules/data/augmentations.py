"""Augmentations of the images of a batch and their masks, drawn anew in every epoch."""

from abc import ABC, abstractmethod
from typing import List

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import TensorDict

from .images import check_size


class Augmentation(Registrable, ABC):
    """Change a batch whose tensors have height and width last.

    The random numbers are PyTorch's, so a seed decides them and a resumed run repeats them.
    """

    @abstractmethod
    def __call__(self, batch: TensorDict) -> TensorDict:
        """Return the changed batch; the argument is not changed."""


@Augmentation.register("random-crop")
class RandomCrop(Augmentation):
    """Crop each image to a window at a uniformly drawn place.

    # Parameters

    size : `List[int]`
        Height and width of the window.

    # Raises

    `ValueError` for an image that is smaller.
    """

    def __init__(self, size: List[int]) -> None:
        check_size(size, "the augmentation 'random-crop'")
        self.size = size

    def __call__(self, batch: TensorDict) -> TensorDict:
        x = batch["x"]
        rows, columns = (
            self._places(len(x), whole, part, x.device)
            for whole, part in zip(x.shape[-2:], self.size, strict=True)
        )
        instance = torch.arange(len(x), device=x.device)[:, None, None]
        rows, columns = rows[:, :, None], columns[:, None, :]
        return {
            # Indices around a slice put its dimension last.
            name: tensor[instance, :, rows, columns].movedim(-1, 1)
            if tensor.dim() == 4
            else tensor[instance, rows, columns]
            for name, tensor in batch.items()
        }

    def _places(self, count: int, whole: int, part: int, device: torch.device) -> torch.Tensor:
        if part > whole:
            raise ValueError(
                f"Expected images of at least {self.size[0]}x{self.size[1]} for the augmentation "
                f"'random-crop', got one of {whole} pixels where it takes {part}."
            )
        start = torch.randint(whole - part + 1, (count, 1), device=device)
        return start + torch.arange(part, device=device)


@Augmentation.register("random-flip")
class RandomFlip(Augmentation):
    """Mirror each image, left to right, with a probability.

    # Parameters

    probability : `float`
        Of an exchange, in [0, 1].
    """

    def __init__(self, probability: float = 0.5) -> None:
        if not 0 <= probability <= 1:
            raise ConfigurationError(
                "Expected a probability in [0, 1] of the augmentation 'random-flip', got "
                f"{probability}."
            )
        self.probability = probability

    def __call__(self, batch: TensorDict) -> TensorDict:
        x = batch["x"]
        flipped = torch.rand(len(x), device=x.device) < self.probability
        return {
            name: torch.where(flipped.view(-1, *[1] * (tensor.dim() - 1)), tensor.flip(-1), tensor)
            for name, tensor in batch.items()
        }
