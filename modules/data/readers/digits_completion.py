"""Completion of handwritten digits: the embedded data set."""

import re
from typing import Iterator, Optional

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from ..fields import Schema
from .tabular_reader import TabularReader

# Of the 1,797 images, shuffled: 60 % to train, 20 % to validate, 20 % to test.
_SPLITS = {"train": (0.0, 0.6), "validation": (0.6, 0.8), "test": (0.8, 1.0)}


@DatasetReader.register("digits-completion")
class DigitsCompletionReader(TabularReader):
    """scikit-learn's 8x8 handwritten digits: the top half is given, the bottom half predicted.

    `embedded://digits/train`, `/validation`, `/test`. x holds the 32 grey values of the top, in
    [0, 1]; the labels are the 32 pixels of the bottom, on where they are at least half as dark as
    can be. Features and labels are called `pixel_ROW_COLUMN`.
    """

    def __init__(self, max_instances: Optional[int] = None) -> None:
        super().__init__(max_instances=max_instances)

    def instances(self, path: str) -> Iterator[Instance]:
        match = re.match(r"embedded://digits/(\w+)$", path)
        if match is None or match[1] not in _SPLITS:
            raise ConfigurationError(
                f"Expected 'embedded://digits/' with one of {list(_SPLITS)} after it, got '{path}'."
            )
        from sklearn.datasets import load_digits  # takes a second to import

        images = load_digits().images
        order = np.random.default_rng(0).permutation(len(images))
        start, stop = (round(share * len(images)) for share in _SPLITS[match[1]])
        pixels = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
        schema = Schema(path, {"features": pixels[:32], "labels": pixels[32:]})
        for image in images[order[start:stop]].reshape(-1, 64):
            columns = np.flatnonzero(image[:32])
            values = (image[columns] / 16).astype(np.float32)
            yield self._instance(schema, columns, values, np.flatnonzero(image[32:] >= 8))
