"""Images and masks that are generated, of every type and mode: each is read as a plain loop over
its pixels says, or refused in one sentence.

`make fuzz` tries 10,000 of each kind.
"""

import io

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from reading import many, read_or_refused, tensors

from structured_energy.data import SegmentationReader


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


def save(folder, kind, content, ending="png"):
    """Write the only file of the folder of images or of masks."""
    (folder / kind).mkdir(exist_ok=True)
    for old in (folder / kind).iterdir():
        old.unlink()
    if isinstance(content, bytes):
        (folder / kind / f"0.{ending}").write_bytes(content)
    else:
        content.save(folder / kind / f"0.{ending}")


ARRAYS = ["u1", "?", "f4", "f8", "i8", "u2", "i2", "u4", "c8", "U3", "S2", "M8[s]", "V4", "i4,f4"]
VALUES = [0, 1, 0.25, 200, -1, 40000, 2**31, float("nan"), float("inf"), 1e300]
LARGEST = {"u1": 255, "u2": 65535, "i2": 32767, "u4": 2**32 - 1, "i8": 2**63 - 1}


@st.composite
def archives(draw):
    """Arrays of images and masks, of any kind and shape, most of them of right ones."""
    shape = draw(st.sampled_from([(2, 3, 4, 3), (2, 3, 4), (1, 2, 2, 1), (1, 1, 1, 3)]))
    shapes = [shape, shape[:3]]
    if draw(st.booleans()):
        at = draw(st.integers(0, 1))
        shapes[at] = tuple(draw(st.lists(st.integers(0, 3), max_size=5)))
    found = []
    for shape in shapes:
        kind = np.dtype(draw(st.sampled_from([*ARRAYS[:3] * 4, *ARRAYS])))
        with np.errstate(all="ignore"):
            value = np.full(shape, draw(st.sampled_from(VALUES)))
            found.append(value.astype(kind) if kind.kind in "u?fic" else np.zeros(shape, kind))
    return found


@many
@given(archives(), st.sampled_from([1, 3]))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_archives(folder, arrays, num_channels):
    images, masks = arrays
    path = folder / "file.npz"
    np.savez(path, images=images, masks=masks)
    reader = SegmentationReader(num_channels=num_channels)
    found = read_or_refused(lambda: tensors(reader.read(str(path))))
    if found is not None:
        assert len(found) == len(images)
        for made, image, mask in zip(found, images, masks, strict=True):
            largest = LARGEST.get(images.dtype.str[1:], 1)
            expected = image.reshape(*image.shape[:2], num_channels).transpose(2, 0, 1) / largest
            np.testing.assert_allclose(made["x"].numpy(), expected, rtol=1e-6)
            assert set(np.unique(mask)) <= {0, 1, 255}
            np.testing.assert_array_equal(made["labels"].numpy(), mask > 0)
            assert set(made) == {"x", "labels"}


@many
@given(
    st.sampled_from(["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I", "F"]),
    st.sampled_from(["png", "bmp", "tif", "gif", "jpg", "ppm", "webp"]),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from([None, (2, 3)]),
    st.sampled_from([None, [3, 2]]),
    st.booleans(),
)
def test_files(folder, mode, ending, size, mask_size, scaled_to, is_opaque):
    image = Image.new(mode, size)
    if mode in ("RGBA", "LA") and is_opaque:
        image.putalpha(255)
    written = io.BytesIO()
    try:
        image.save(written, {"tif": "TIFF", "jpg": "JPEG"}.get(ending, ending))
    except (OSError, ValueError, KeyError):
        return  # a format that does not have this mode
    save(folder, "images", written.getvalue(), ending)
    save(folder, "masks", Image.new("1", mask_size or size))
    reader = SegmentationReader(size=scaled_to)
    found = read_or_refused(lambda: tensors(reader.read(str(folder))))
    with Image.open(written) as file:
        is_transparent = file.convert("RGBA").getextrema()[3][0] < 255 if mode[-1] == "A" else False
    fits = mask_size is None or mask_size == size
    assert (found is not None) == (fits and not is_transparent)
    if found is not None:
        assert found[0]["x"].shape == (3, *(scaled_to or size[::-1]))


@many
@given(
    st.sampled_from(["u2", "i4", "f4"]),
    st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6),
    st.sampled_from([1, 3]),
)
def test_images_of_more_than_8_bits(folder, kind, shares, num_channels):
    dtype = np.dtype(kind)
    largest = 1 if kind == "f4" else np.iinfo(dtype).max
    pixels = (np.array(shares).reshape(2, 3) * largest).astype(dtype)
    assume(kind != "i4" or pixels.max() == 0 or pixels.max() > 2**16)  # others are refused
    save(folder, "images", Image.fromarray(pixels), "tif")
    save(folder, "masks", Image.new("L", (3, 2)))
    (found,) = tensors(SegmentationReader(num_channels=num_channels).read(str(folder)))
    for channel in found["x"].numpy():
        np.testing.assert_allclose(channel, pixels / largest, rtol=1e-6)


def meanings(values, foreground, background, void):
    """Whether each value is on, off or void, or None where the settings leave a value open."""
    left = [value for value in set(values) if value not in void]
    off = [0] if background is None else background
    if foreground is None:
        rest = [value for value in left if value not in off]
        foreground = [255] if 255 in rest else [1]
    elif background is None:
        others = [value for value in left if value not in foreground]
        off = others if len(others) == 1 else []
    found = {}
    for value in values:
        named = {"void": value in void, "off": value in off, "on": value in foreground}
        if not any(named.values()):
            return None
        found[value] = next(name for name, is_so in named.items() if is_so)
    return found


SOME = st.sampled_from([0, 1, 2, 3, 127, 254, 255])


@many
@given(
    st.sampled_from(["P", "L", "RGB", "RGBA", "LA", "I;16", "archive"]),
    st.lists(SOME, min_size=1, max_size=3).flatmap(
        lambda values: st.lists(st.sampled_from(values), min_size=6, max_size=6)
    ),
    st.lists(SOME, unique=True, max_size=5),
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)),
)
def test_masks(folder, mode, values, named, counts):
    first, second = counts[0], counts[0] + counts[1]
    lists = named[:first], named[first:second], named[second : second + counts[2]]
    foreground, background, void = lists[0] or None, lists[1] or None, lists[2]
    array = np.array(values, dtype=np.uint16 if mode == "I;16" else np.uint8).reshape(2, 3)
    reader = SegmentationReader(foreground=foreground, background=background, void=void)
    path = folder
    if mode == "archive":
        path = folder / "masks.npz"
        np.savez(path, images=np.zeros((1, 2, 3, 3), np.uint8), masks=array[None])
    else:
        mask = Image.fromarray(array)
        if mode == "P":
            mask = Image.new("P", (3, 2))
            mask.putdata(values)
            mask.putpalette(bytes(3) + bytes([128, 0, 0]) * 255)  # an entry for every index
        save(folder, "images", Image.new("RGB", (3, 2)))
        save(folder, "masks", mask if mode in ("P", "I;16") else mask.convert(mode))
    found = read_or_refused(lambda: tensors(reader.read(str(path))))
    expected = meanings(values, foreground, background, void)
    assert (found is None) == (expected is None)
    if found is not None:
        on = [expected[value] == "on" for value in values]
        assert found[0]["labels"].flatten().tolist() == on
        assert ("mask" in found[0]) == bool(void)
        if void:
            known = [expected[value] != "void" for value in values]
            assert found[0]["mask"].flatten().tolist() == known
