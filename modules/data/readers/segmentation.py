"""Images and their masks."""

import glob
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from PIL import Image

from ..fields import ImageField
from ..images import BROKEN, check_size, open_image, read_mask_values, read_pixels, scaled, turned
from ..mask_values import Mask, MaskValues
from ..registry import resolve
from .json_reader import JsonReader

IMAGES, MASKS = "images", "masks"


class Pictures(NamedTuple):
    """The images of a data set, and the values of their masks, with a name of each for messages."""

    names: List[str]
    images: List[np.ndarray]
    masks: List[np.ndarray]


@DatasetReader.register("segmentation-npy")
class SegmentationReader(JsonReader):
    """Read images with a mask each, into `x` `(num_channels, height, width)` in [0, 1] and
    `labels`, bool `(height, width)`. With `void`, `mask`, bool `(height, width)`, is false where
    the label is unknown; these pixels have no part in losses and metrics.

    A path is

    - of the registry, `data://weizmann_horses/train`: a pickle, opened only because its SHA-256 is
      the one that is registered;
    - a `.npz` file with the arrays `images` `(N, height, width[, num_channels])` and `masks` `(N,
      height, width)`, which is opened without pickle;
    - a folder with the folders `images` and `masks`, in which a file of an image and that of its
      mask have the same name up to the ending.

    Pixels of integer types are divided by the largest value of the type, floats are in [0, 1]. The
    values of a mask with a palette are its indices. Files are turned as their EXIF orientation
    says.

    # Parameters

    num_channels : `int`
        3 for colours, 1 for grey values; files of images are converted.
    size : `List[int]`, optional
        Height and width that files of images are scaled to, those of predictions included.
    foreground : `List[int]`, optional
        The values of masks that are on. By default 1 in masks of 0 and 1, and 255 in masks of 0
        and 255.
    background : `List[int]`, optional
        The values that are off. By default 0; with `foreground`, the one value that is neither
        foreground nor void.
    void : `List[int]`, optional
        The values of pixels whose label is unknown, such as `[255]` for the borders of VOC.

    # Raises

    `ValueError` for bad data, with file and image.
    """

    def __init__(
        self,
        num_channels: int = 3,
        size: Optional[List[int]] = None,
        max_instances: Optional[int] = None,
        foreground: Optional[List[int]] = None,
        background: Optional[List[int]] = None,
        void: Optional[List[int]] = None,
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
        self.mask_values = MaskValues(foreground, background, void)

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
        masks = self.mask_values.explain(pictures.masks, pictures.names)
        for row in data.select(len(pictures.names)):
            yield self._instance(pictures.images[row], masks[row], pictures.names[row])

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
        unpaired = sorted(files[IMAGES].keys() ^ files[MASKS].keys())
        if unpaired:
            raise ValueError(
                f"{folder}: expected an image and a mask of each name, got only one of them "
                f"for '{unpaired[0]}' and {len(unpaired) - 1} others."
            )
        names = sorted(files[IMAGES])
        pairs = [self._pair(files[IMAGES][name], files[MASKS][name]) for name in names]
        images, masks = zip(*pairs, strict=True)
        return Pictures([files[MASKS][name] for name in names], list(images), list(masks))

    def _pair(self, image_path: str, mask_path: str) -> Tuple[np.ndarray, np.ndarray]:
        """Return the pixels of an image, and the values of its mask."""
        image, mask = open_image(image_path), open_image(mask_path)
        # Where the stored shapes differ, only one way to turn the files makes them fit.
        if image.orientation != mask.orientation and image.stored_shape == mask.stored_shape:
            raise ValueError(
                f"{mask_path}: expected the EXIF orientation of its image, {image.orientation}, "
                f"got {mask.orientation}, so that it is unknown which way up the mask is; save "
                "both files upright, without an orientation."
            )
        if image.shape != mask.shape:
            raise ValueError(
                f"{mask_path}: expected a mask of the image's size {image.shape}, got {mask.shape}."
            )
        pixels = read_pixels(image, self.num_channels, self.size)
        return pixels, read_mask_values(mask, self.size)

    def text_to_instance(
        self, image: np.ndarray, mask: Optional[np.ndarray] = None, name: str = "image"
    ) -> Instance:
        """Return an instance of an image `(height, width[, num_channels])` and the values of its
        mask `(height, width)`, of any numeric type."""
        explained = None if mask is None else self.mask_values.explain([mask], [name])[0]
        return self._instance(image, explained, name)

    def _instance(self, image: np.ndarray, mask: Optional[Mask], name: str) -> Instance:
        x = scaled(image if image.ndim == 3 else image[..., None], name)
        if x.shape[2] != self.num_channels or x.shape[0] * x.shape[1] == 0:
            raise ValueError(
                f"{name}: expected an image (height, width, {self.num_channels}), got "
                f"{tuple(image.shape)}; set num_channels of the reader."
            )
        channels_first = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))
        fields = {"x": ImageField(channels_first, dtype=torch.float32)}
        if mask is not None:
            if mask.on.shape != x.shape[:2]:
                raise ValueError(
                    f"{name}: expected a mask of the image's size {x.shape[:2]}, got "
                    f"{mask.on.shape}."
                )
            fields["labels"] = ImageField(torch.from_numpy(mask.on), dtype=torch.bool)
            if self.mask_values.void:
                fields["mask"] = ImageField(torch.from_numpy(mask.known), dtype=torch.bool)
        return Instance(fields)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        if not isinstance(line.get("image"), str):
            raise ValueError(
                "Expected a line with the key 'image', the file of an image, got the keys "
                f"{sorted(line)}."
            )
        return self.value_to_instance(line["image"], vocab)

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of an image, the path of a file, an array or an image of Pillow, and
        of its mask."""
        if isinstance(value, dict):
            return self.json_to_instance(value, vocab)
        if isinstance(value, np.ndarray):
            return self.text_to_instance(value, output)
        is_file = not isinstance(value, Image.Image)
        image = open_image(str(value)) if is_file else turned(value, "The image")
        pixels = read_pixels(image, self.num_channels, self.size)
        return self.text_to_instance(pixels, output, image.path)


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
