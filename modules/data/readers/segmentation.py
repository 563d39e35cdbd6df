"""Images and their masks."""

import glob
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from PIL import Image

from ..augmentations import check_size
from ..fields import ImageField
from ..registry import resolve
from .json_reader import JsonReader

IMAGES, MASKS = "images", "masks"

# What Pillow, zipfile and numpy raise for files that are not what they say they are.
BROKEN = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class Pictures(NamedTuple):
    """The images of a data set, and their masks, with what a message calls each."""

    names: List[str]
    images: List[np.ndarray]
    masks: List[np.ndarray]


@DatasetReader.register("segmentation-npy")
class SegmentationReader(JsonReader):
    """Reads images with a mask each, into `x` `(num_channels, height, width)` in [0, 1] and
    `labels`, bool `(height, width)`.

    A path is

    - of the registry, `data://weizmann_horses/train`: a pickle, opened only because its SHA-256 is
      the one that is registered;
    - a `.npz` file with the arrays `images` `(N, height, width[, num_channels])` and `masks` `(N,
      height, width)`, which is opened without pickle;
    - a folder with the folders `images` and `masks`, in which a file of an image and that of its
      mask have the same name up to the ending.

    Images of 8 bits are divided by 255; images of real numbers are in [0, 1] already. A mask is of
    0 and 1, of truth values, or of 8 bits, on above the half.

    # Parameters

    num_channels : `int`
        3 for colours, 1 for grey values; files of images are converted.
    size : `List[int]`, optional
        Height and width that files of images are scaled to, those of predictions included.

    # Raises

    `ValueError` for bad data, with file and image.
    """

    def __init__(
        self,
        num_channels: int = 3,
        size: Optional[List[int]] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances=max_instances)
        if num_channels not in (1, 3):
            raise ConfigurationError(
                "Expected 1 or 3 channels in the dataset reader 'segmentation-npy', got "
                f"{num_channels}."
            )
        if size is not None:
            check_size(size, "the dataset reader 'segmentation-npy'")
        self.num_channels = num_channels
        self.size = size

    def instances(self, path: str) -> Iterator[Instance]:
        data = resolve(path)
        (local,) = data.paths
        if path.startswith("data://"):
            pictures = _published(local)
        elif Path(local).is_dir():
            pictures = self._folder(Path(local))
        elif local.endswith(".npz"):
            pictures = _archive(local)
        else:
            raise ValueError(
                f"Expected 'data://…' of the registry, a .npz file or a folder with the folders "
                f"'{IMAGES}' and '{MASKS}', got '{path}'; a pickle of one's own is not "
                "opened, since it could run any code."
            )
        for row in data.select(len(pictures.names)):
            yield self.text_to_instance(
                pictures.images[row], pictures.masks[row], pictures.names[row]
            )

    def _folder(self, folder: Path) -> Pictures:
        files = {}
        for kind in (IMAGES, MASKS):
            found = sorted(glob.glob(str(folder / kind / "*")))
            files[kind] = {Path(path).stem: path for path in found}
            if len(files[kind]) < max(len(found), 1):
                raise ValueError(
                    f"{folder / kind}: expected files of different names, and at least one, got "
                    f"{len(found)} with {len(files[kind])} names."
                )
        alone = sorted(files[IMAGES].keys() ^ files[MASKS].keys())
        if alone:
            raise ValueError(
                f"{folder}: expected an image and a mask of each name, got one alone of "
                f"'{alone[0]}' and {len(alone) - 1} others."
            )
        names = sorted(files[IMAGES])
        return Pictures(
            [files[IMAGES][name] for name in names],
            [self.load(files[IMAGES][name]) for name in names],
            [self.load(files[MASKS][name], mask=True) for name in names],
        )

    def load(self, path: str, mask: bool = False) -> np.ndarray:
        """The image of a file `(height, width, num_channels)`, or its mask `(height, width)`."""
        try:
            with Image.open(path) as file:
                image = file.convert("L" if mask or self.num_channels == 1 else "RGB")
            if self.size is not None:
                height, width = self.size
                how = Image.Resampling.NEAREST if mask else Image.Resampling.BILINEAR
                image = image.resize((width, height), how)
            array = np.asarray(image)
        except BROKEN as error:
            raise ValueError(
                f"{path}: expected an image that Pillow can read: {str(error)[:200]}"
            ) from error
        return array if mask or array.ndim == 3 else array[..., None]

    def text_to_instance(
        self, image: np.ndarray, mask: Optional[np.ndarray] = None, name: str = "image"
    ) -> Instance:
        """An instance of an image `(height, width[, num_channels])`, in 8 bits or in [0, 1]."""
        x = _scaled(image if image.ndim == 3 else image[..., None], 255, name)
        if x.shape[2] != self.num_channels or x.shape[0] * x.shape[1] == 0:
            raise ValueError(
                f"{name}: expected an image (height, width, {self.num_channels}), got "
                f"{tuple(image.shape)}; set num_channels of the reader."
            )
        channels_first = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))
        fields = {"x": ImageField(channels_first, dtype=torch.float32)}
        if mask is not None:
            if mask.shape != x.shape[:2]:
                raise ValueError(
                    f"{name}: expected a mask of the image's size {x.shape[:2]}, got {mask.shape}."
                )
            most = 1 if mask.max(initial=0) <= 1 else 255
            on = torch.from_numpy(_scaled(mask, most, name) > 0.5)
            fields["labels"] = ImageField(on, dtype=torch.bool)
        return Instance(fields)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        if not isinstance(line.get("image"), str):
            raise ValueError(
                "Expected a line with the key 'image', the file of an image, got the keys "
                f"{sorted(line)}."
            )
        return self.text_to_instance(self.load(line["image"]), name=line["image"])


def _scaled(array: np.ndarray, most: int, name: str) -> np.ndarray:
    """Values in [0, 1], of 8 bits up to `most`, or of others that are in it already."""
    scaled = array.astype(np.float32)
    if array.dtype == np.uint8:
        scaled /= most
    # The comparison is also false for what is no number.
    if not (scaled.min(initial=0) >= 0 and scaled.max(initial=0) <= 1):
        raise ValueError(
            f"{name}: expected 8-bit values or numbers in [0, 1], got {array.dtype} from "
            f"{array.min()} to {array.max()}."
        )
    return scaled


def _archive(path: str) -> Pictures:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in (IMAGES, MASKS)}
    except BROKEN as error:
        raise ValueError(
            f"{path}: expected a .npz file with the arrays '{IMAGES}' and '{MASKS}', without "
            f"objects: {str(error)[:200]}"
        ) from error
    return _together(path, arrays)


def _published(path: str) -> Pictures:
    # The registry has compared its hash, so that the pickle is the published one.
    held = np.load(path, allow_pickle=True).item()
    return _together(path, {key: np.asarray(held[key]) for key in (IMAGES, MASKS)})


def _together(path: str, arrays: Dict[str, np.ndarray]) -> Pictures:
    images, masks = arrays[IMAGES], arrays[MASKS]
    if images.ndim not in (3, 4) or masks.ndim != 3 or len(images) != len(masks) or not len(images):
        raise ValueError(
            f"{path}: expected '{IMAGES}' (N, height, width[, num_channels]) and as many "
            f"'{MASKS}' (N, height, width), got {images.shape} and {masks.shape}."
        )
    for key, array in ((IMAGES, images), (MASKS, masks)):
        if array.dtype.kind not in "buif":
            raise ValueError(f"{path}: expected numbers as '{key}', got {array.dtype}.")
    names = [f"{path}, image {number}" for number in range(len(images))]
    return Pictures(names, list(images), list(masks))
