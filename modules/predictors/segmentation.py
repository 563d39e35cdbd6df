"""The predictor of masks for image files."""

from pathlib import Path
from typing import List

import numpy as np
from allennlp.common.util import JsonDict
from allennlp.predictors import Predictor
from PIL import Image

from ..compatibility import at_its_place
from ..data.images import open_image
from .structured_energy import StructuredEnergyPredictor


@Predictor.register("segmentation")
class SegmentationPredictor(StructuredEnergyPredictor):
    """Write masks of images to files.

    A line is `{"image": "horse.png", "mask": "mask.png"}`: the paths of image and mask.
    The mask is 255 where the object is and 0 elsewhere, of the size of the image as its EXIF
    orientation turns it; missing folders are created. The suffix of its name is that of a lossless
    format, such as .png. The output for a line is the name of the file and the proportion of its
    pixels in the object.

    # Raises

    `ValueError` for a line without a key that it needs, or a suffix of no such format.
    """

    def predict_json(self, inputs: JsonDict) -> JsonDict:
        """Write the mask of an image."""
        return self.predict_batch_json([inputs])[0]

    def predict_batch_json(self, inputs: List[JsonDict]) -> List[JsonDict]:
        """Write the mask of each image."""
        for line in inputs:
            _check(line)
        # Images of several sizes do not fit into one batch.
        predictions = [super(SegmentationPredictor, self).predict_json(line) for line in inputs]
        return [_write(*pair) for pair in zip(inputs, predictions, strict=True)]


def _check(line: JsonDict) -> None:
    path = line.get("mask")
    if not isinstance(path, str) or Path(path).suffix.lower() not in (".png", ".bmp", ".tif"):
        error = ValueError(
            "Expected a line with the key 'mask', the file that the mask is written to, which ends "
            f"in .png, .bmp or .tif, got {path!r}."
        )
        raise at_its_place(line, error)


def _write(line: JsonDict, prediction: JsonDict) -> JsonDict:
    mask = np.asarray(prediction["labels"], dtype=np.uint8)
    height, width = open_image(line["image"]).shape
    image = Image.fromarray(255 * mask).resize((width, height), Image.Resampling.NEAREST)
    path = Path(line["mask"])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return {"image": line["image"], "mask": str(path), "share": float(mask.mean())}
