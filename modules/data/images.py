"""The pixels of image files and mask files."""

import struct
import zipfile
import zlib
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
from allennlp.common.checks import ConfigurationError
from PIL import ExifTags, Image, ImageOps

# The errors of Pillow, zipfile and NumPy for files whose content is not that of their type.
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
_BITS, _SAMPLE_FORMAT, _SIGNED = 258, 339, 2  # tags of TIFF, and a value of the second


class ImageFile(NamedTuple):
    """The image of a file, turned upright.

    # Fields

    path : the file.
    image : with the EXIF orientation applied.
    orientation : the EXIF orientation, 1 to 8; 1 is upright.
    largest : the largest value of the file's integer type, for images of more than 8 bits.
    """

    path: str
    image: Image.Image
    orientation: int
    largest: Optional[int]

    @property
    def shape(self) -> Tuple[int, int]:
        """Height and width, upright."""
        return self.image.height, self.image.width

    @property
    def stored_shape(self) -> Tuple[int, int]:
        """Height and width as they are stored."""
        height, width = self.shape
        return (width, height) if self.orientation >= 5 else (height, width)

    def convert(self, mode: str) -> Image.Image:
        """Return the image in another mode of Pillow, or raise `ValueError` with the path."""
        try:
            return self.image.convert(mode)
        except BROKEN as error:
            raise _unreadable(self.path, error) from error


def open_image(path: str) -> ImageFile:
    """Read an image file.

    # Raises

    `ValueError` for a file that Pillow cannot read.
    """
    try:
        # By its path, Pillow maps an uncompressed TIFF into memory, wrongly where it turns it.
        with open(path, "rb") as stream, Image.open(stream) as file:
            return turned(file, path)
    except BROKEN as error:
        raise _unreadable(path, error) from error


def turned(image: Image.Image, name: str) -> ImageFile:
    """Return an image of Pillow, turned upright, with a name for messages."""
    # Before the pixels: with these, Pillow turns a TIFF and forgets its orientation.
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    largest = _largest(image)
    upright = ImageOps.exif_transpose(image)
    return ImageFile(name, upright, orientation if orientation in range(1, 9) else 1, largest)


def _unreadable(path: str, error: BaseException) -> ValueError:
    return ValueError(f"{path}: expected an image that Pillow can read: {str(error)[:200]}")


def _largest(file: Image.Image) -> Optional[int]:
    """Return the largest value of a file's type, where Pillow reads it into a wider one."""
    if not file.mode.startswith("I"):
        return None
    if file.format == "TIFF":
        bits = file.tag_v2.get(_BITS, (32,))[0]  # type: ignore[attr-defined]
        is_signed = file.tag_v2.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED  # type: ignore[attr-defined]
        return 2 ** (bits - is_signed) - 1
    is_16_bit = file.mode.startswith("I;16") or file.format in ("PNG", "PPM")
    return 2**16 - 1 if is_16_bit else 2**31 - 1


def read_pixels(file: ImageFile, num_channels: int, size: Optional[List[int]] = None) -> np.ndarray:
    """Return an image `(height, width, num_channels)`: 8 bits, or float in [0, 1].

    # Parameters

    num_channels : `int`
        3 for RGB, 1 for grey.
    size : `List[int]`, optional
        Height and width to scale to, bilinearly.

    # Raises

    `ValueError` for transparent pixels, and for values outside the range of their type.
    """
    if file.image.mode[0] in "IF":
        _check_opaque(file, "an image")
        values = np.asarray(file.image)
        if file.largest == 2**32 - 1:  # Pillow has no unsigned mode of 32 bits
            values = values.view(np.uint32)
        pixels = scaled(values, file.path, file.largest)
        if size is not None:
            resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)
            pixels = np.asarray(resized).clip(0.0, 1.0)
        return np.repeat(pixels[..., None], num_channels, axis=2)
    _check_opaque(file, "an image")
    image = file.convert("L" if num_channels == 1 else "RGB")
    if size is not None:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def read_mask_values(file: ImageFile, size: Optional[List[int]] = None) -> np.ndarray:
    """Return the values of a mask `(height, width)`; those of a palette image are its indices.

    # Parameters

    size : `List[int]`, optional
        Height and width to scale to; each pixel takes the nearest value.

    # Raises

    `ValueError` for colours without a palette, and for transparent pixels.
    """
    image = file.image
    if image.mode != "P":
        _check_opaque(file, "a mask")
    if image.mode not in ("1", "L", "P", "LA", "PA", "RGB", "RGBA") and image.mode[0] not in "IF":
        image = file.convert("RGB")
    if size is not None:
        image = image.resize(size[::-1], Image.Resampling.NEAREST)
    values = np.asarray(image)
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    is_grey = (colours == colours[..., :1]).all(axis=2)
    if not is_grey.all():
        colour = tuple(colours[~is_grey][0].tolist())
        raise ValueError(
            f"{file.path}: expected a mask with one value per pixel, got the colour {colour}; save "
            "it as grey values or with a palette (mode L or P of Pillow)."
        )
    return colours[..., 0]


def _check_opaque(file: ImageFile, kind: str) -> None:
    image = file.image
    if not image.has_transparency_data:
        return
    if image.mode[0] in "IF":
        lowest = 0
    else:
        lowest = int(np.asarray(file.convert("RGBA").getchannel("A")).min(initial=255))
    if lowest < 255:
        raise ValueError(
            f"{file.path}: expected {kind} without transparent pixels, got alpha values down to "
            f"{lowest} of 255; put it on a background and save it without alpha."
        )


def scaled(array: np.ndarray, name: str, largest: Optional[int] = None) -> np.ndarray:
    """Return pixels as float32 in [0, 1]: integers are divided by the largest value of their type,
    truth values and floats stay.

    >>> scaled(np.array([0, 13107, 65535], dtype=np.uint16), "image").tolist()
    [0.0, 0.20000000298023224, 1.0]

    # Parameters

    array : `np.ndarray`
        Bool, integers or floats.
    name : `str`
        The image, for error messages.
    largest : `int`, optional
        The largest value of the type, where it is not that of the array's.

    # Raises

    `ValueError` for negative integers, for integers of 32 bits or more that fill less than 1/65536
    of their type's range (and would come out black), and for floats outside [0, 1].
    """
    low, high = array.min(initial=0), array.max(initial=0)
    is_integer = array.dtype.kind in "iu"
    top = (largest or int(np.iinfo(array.dtype).max)) if is_integer else 1
    # Each comparison is also false for NaN.
    if not (low >= 0 and high <= top) or (is_integer and 0 < high < top / 2**16):
        integers = f"integers over the range of their type, 0 to {top}"
        expected = integers if is_integer else "floats in [0, 1]"
        raise ValueError(
            f"{name}: expected {expected}, got {array.dtype} from {array.min()} to "
            f"{array.max()}; save the image "
            "as uint8 or uint16, or as floats divided by their largest possible value."
        )
    return (array.astype(np.float64) / top).astype(np.float32)


def check_size(size: List[int], where: str) -> None:
    """Raise `ConfigurationError` if the size is not a height and a width."""
    if len(size) != 2 or min(size) < 1:
        raise ConfigurationError(
            f"Expected a height and a width of at least 1 in {where}, got {size}."
        )
