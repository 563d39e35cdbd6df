"""Images with masks: their sizes and the values of the masks."""

import os
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from ...data.images import open_image
from ...data.readers import SegmentationReader
from ...data.registry import resolve
from .found import Found, Options, counted

_PARTS = ("images", "masks")


def is_images(path: str) -> bool:
    """Return whether a path has images and masks: a folder of both folders, or both arrays."""
    if os.path.isdir(path):
        return all(os.path.isdir(os.path.join(path, part)) for part in _PARTS)
    if not path.endswith(".npz") or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {f"{part}.npy" for part in _PARTS} <= set(archive.namelist())


def inspect_images(path: str, options: Options) -> Found:
    """Return what a folder or an archive of images and masks has.

    # Raises

    `ValueError` for what the reader does not read.
    """
    settings: Dict[str, Any] = {}
    channels = _channels(path)
    if channels != 3:
        settings["num_channels"] = channels
    if options.foreground:
        settings["foreground"] = list(options.foreground)
    warnings: List[str] = []
    sizes = Counter(_sizes(path, settings))
    (height, width), number = sizes.most_common(1)[0]
    if len(sizes) > 1:
        settings["size"] = [height, width]
        warnings.append(
            f"Images of {len(sizes)} sizes; all are scaled to {height} × {width}, the size of "
            f"{number} of them (size)."
        )
    instances = list(SegmentationReader(**settings).instances(path))
    masks = np.stack([np.asarray(each.fields["labels"].tensor) for each in instances])
    share = masks.mean((1, 2))
    facts = [
        ("images", f"{len(instances):,} of {height} × {width}, {counted(channels, 'channel')}"),
        ("masks", f"{share.mean():.0%} of the pixels on"),
    ]
    for what, same in (("empty", share == 0), ("full", share == 1)):
        if same.any():
            warnings.append(f"{counted(int(same.sum()), 'mask')} {what}.")
    if len(instances) < 20:
        warnings.append(f"{counted(len(instances), 'image')}: too few to learn much from.")
    further: Dict[str, Any] = {"crop": [_crop(height), _crop(width)]}
    if channels != 3:
        further["channels"] = channels
    reader = {"type": "segmentation-npy", **settings}
    return Found("segmentation", reader, facts, warnings, further)


def _crop(length: int) -> int:
    """Return three quarters of a length, at most 128."""
    return min(max(length * 3 // 4, 1), 128)


def _channels(path: str) -> int:
    (local,) = resolve(path).paths
    if os.path.isdir(local):
        files = sorted(Path(local, "images").iterdir())
        if not files:
            return 3
        return 1 if open_image(str(files[0])).image.mode in ("1", "L", "I", "I;16", "F") else 3
    with np.load(local, allow_pickle=False) as arrays:
        shape = arrays["images"].shape
    return shape[3] if len(shape) == 4 else 1


def _sizes(path: str, settings: Dict[str, Any]) -> List[Tuple[int, int]]:
    (local,) = resolve(path).paths
    if os.path.isdir(local):
        return [open_image(str(file)).shape for file in sorted(Path(local, "images").iterdir())]
    instances = SegmentationReader(**settings).instances(path)
    return [tuple(each.fields["labels"].tensor.shape) for each in instances]
