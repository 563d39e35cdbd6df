"""What the pixels of images and masks mean, by file type, mode, orientation and the reader's
settings."""

import hashlib

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from PIL import ExifTags, Image

from structured_energy.data import SegmentationReader
from structured_energy.data.registry import available

PATTERN = np.array([[0, 1, 1, 0], [0, 0, 1, 1]], dtype=np.uint8)


def write(folder, image=None, mask=None, image_ending="png", mask_ending="png", exif=(1, 1)):
    """A folder with one image and one mask, each with its EXIF orientation."""
    files = (
        ("images", image or Image.new("RGB", (4, 2)), image_ending, exif[0]),
        ("masks", mask or Image.fromarray(PATTERN), mask_ending, exif[1]),
    )
    for kind, picture, ending, orientation in files:
        tags = Image.Exif()
        if orientation != 1:
            tags[ExifTags.Base.Orientation] = orientation
        (folder / kind).mkdir(exist_ok=True)
        picture.save(folder / kind / f"a.{ending}", exif=tags)
    return str(folder)


def read(path, **settings):
    """x, labels and the mask of positions of the only image."""
    (instance,) = SegmentationReader(**settings).read(path)
    tensors = {name: field.tensor.numpy() for name, field in instance.fields.items()}
    return tensors["x"], tensors["labels"], tensors.get("mask")


def palette_mask(indices):
    mask = Image.new("P", indices.shape[::-1])
    mask.putdata(indices.flatten().tolist())
    mask.putpalette(bytes(3) + bytes([128, 0, 0]) * 255)
    return mask


def test_a_palette_mask_is_read_by_its_indices(tmp_path):
    indices = PATTERN.copy()
    indices[0, 0] = 255
    path = write(tmp_path, mask=palette_mask(indices))
    _, labels, mask = read(path, void=[255])
    np.testing.assert_array_equal(labels, indices == 1)
    np.testing.assert_array_equal(mask, indices != 255)
    with pytest.raises(
        ValueError, match=r"a.png: expected a mask of 0 and 1, .* values 0, 1, 255;"
    ):
        read(path)


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ((1, 2), {"foreground": [2]}),
        ((0, 2), {"foreground": [2]}),
        ((0, 127), {"foreground": [127]}),
        ((255, 0), {"foreground": [0]}),
        ((3, 7), {"foreground": [7], "background": [0, 3]}),
        ((0, 1), {"void": [255]}),
    ],
)
def test_settings_explain_values(tmp_path, values, settings):
    array = np.choose(PATTERN, values).astype(np.uint8)
    path = write(tmp_path, mask=Image.fromarray(array))
    np.testing.assert_array_equal(read(path, **settings)[1], PATTERN == 1)
    if settings != {"void": [255]}:
        listed = ", ".join(map(str, sorted(values)))
        with pytest.raises(ValueError, match=f"a.png: .* {listed}; set foreground, background"):
            read(path, foreground=None if values != (255, 0) else [5])


def test_a_trimap_has_void_pixels(tmp_path):
    trimap = np.uint8([[1, 2], [3, 1]])
    path = write(tmp_path, Image.new("L", (2, 2)), Image.fromarray(trimap))
    _, labels, mask = read(path, foreground=[1], void=[3])
    assert labels.tolist() == [[True, False], [False, True]]
    assert mask.tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize("foreground", [[1], [255]])
def test_values_of_neither_list_are_refused(tmp_path, foreground):
    path = write(tmp_path, mask=Image.fromarray(PATTERN * 2))
    with pytest.raises(ValueError, match=r"of foreground \[.*\] and one other value, got .* 0, 2;"):
        read(path, foreground=foreground)


def test_a_value_has_one_meaning_in_a_data_set(tmp_path):
    images = np.zeros((3, 2, 4), np.uint8)
    masks = np.stack([PATTERN * 0, PATTERN, PATTERN * 255])
    np.savez(tmp_path / "a.npz", images=images, masks=masks)
    reader = SegmentationReader(num_channels=1)
    with pytest.raises(ValueError, match="image 2: .* got the values 0, 255, after 1 in others;"):
        list(reader.read(str(tmp_path / "a.npz")))
    reader = SegmentationReader(num_channels=1, void=[255])
    labels = [i["labels"].tensor.numpy() for i in reader.read(str(tmp_path / "a.npz"))]
    np.testing.assert_array_equal(labels, np.stack([PATTERN * 0, PATTERN, PATTERN * 0]))


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("red", r"one value per pixel, got the colour \(1, 0, 0\); save it as grey values"),
        ("RGBA", "a mask without transparent pixels, got alpha values down to 0 of 255"),
        ("LA", "a mask without transparent pixels, got alpha values down to 0 of 255"),
        ("jpg", "expected a mask of 0 and 1, or of 0 and 255, got the values 0, .* without loss"),
    ],
)
def test_masks_without_a_clear_value_are_refused(tmp_path, mode, message):
    if mode == "red":
        mask = Image.fromarray(np.stack([PATTERN, PATTERN * 0, PATTERN * 0], axis=2))
    else:
        mask = Image.fromarray(PATTERN * 255)
    if mode in ("RGBA", "LA"):
        mask.putalpha(mask.copy())
        mask = mask.convert(mode)
    with pytest.raises(ValueError, match=f"a.{'jpg' if mode == 'jpg' else 'png'}: .*{message}"):
        read(write(tmp_path, mask=mask, mask_ending="jpg" if mode == "jpg" else "png"))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "CMYK", "I", "I;16", "F"])
def test_clear_masks_of_every_mode(tmp_path, mode):
    mask = Image.fromarray(PATTERN * 255)
    mask = Image.fromarray(PATTERN.astype(np.uint16)) if mode == "I;16" else mask.convert(mode)
    assert mask.mode == mode
    for size in (None, [4, 8]):
        labels = read(write(tmp_path, mask=mask, mask_ending="tif"), size=size)[1]
        repeated = PATTERN if size is None else PATTERN.repeat(2, 0).repeat(2, 1)
        np.testing.assert_array_equal(labels, repeated == 1)


@pytest.mark.parametrize("size", [None, [2, 2]])
def test_a_mask_of_another_shape_is_refused(tmp_path, size):
    path = write(tmp_path, image=Image.new("RGB", (8, 8)))
    with pytest.raises(ValueError, match=r"a.png: expected .* size \(8, 8\), got \(2, 4\)"):
        read(path, size=size)


RAMP = np.arange(64).reshape(8, 8)


@pytest.mark.parametrize(
    ("pixels", "ending", "largest"),
    [
        (RAMP.astype(np.uint8), "png", 255),
        ((RAMP * 1000).astype(np.uint16), "png", 65535),
        ((RAMP * 1000).astype(np.uint16), "tif", 65535),
        ((RAMP * 1000).astype(np.int32), "pgm", 65535),
        ((RAMP * 2**25).astype(np.int32), "tif", 2**31 - 1),
        ((RAMP / 63).astype(np.float32), "tif", 1),
    ],
    ids=["uint8", "uint16-png", "uint16-tif", "uint16-pgm", "int32-tif", "float-tif"],
)
@pytest.mark.parametrize("num_channels", [1, 3])
def test_files_are_scaled_by_their_type(tmp_path, pixels, ending, largest, num_channels):
    mask = Image.new("L", (8, 8))
    path = write(tmp_path, Image.fromarray(pixels), mask, image_ending=ending)
    x, _, _ = read(path, num_channels=num_channels)
    assert x.shape == (num_channels, 8, 8) and x.dtype == np.float32
    for channel in x:
        np.testing.assert_allclose(channel, pixels / largest, rtol=1e-6)
    smaller, _, _ = read(path, num_channels=num_channels, size=[4, 4])
    blocks = (pixels / largest).reshape(4, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(
        smaller[:, 1:3, 1:3], blocks[1:3, 1:3][None].repeat(num_channels, 0), atol=0.003
    )


def test_unsigned_integers_of_32_bits_are_scaled(tmp_path):
    pixels = (RAMP * 2**26).astype(np.uint32)
    assert pixels.max() > 2**31
    # Pillow writes no unsigned type: the tag of a signed file is changed.
    path = write(tmp_path, Image.fromarray(pixels.view(np.int32)), Image.new("L", (8, 8)), "tif")
    file = tmp_path / "images" / "a.tif"
    signed = (339).to_bytes(2, "little") + bytes([3, 0, 1, 0, 0, 0, 2, 0])
    assert file.read_bytes().count(signed) == 1
    file.write_bytes(file.read_bytes().replace(signed, signed[:-2] + bytes([1, 0])))
    np.testing.assert_allclose(read(path)[0][0], pixels / (2**32 - 1), rtol=1e-6)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
)
def test_arrays_of_integers_are_scaled_by_their_type(tmp_path, dtype):
    largest = np.iinfo(dtype).max
    image = np.array([[0, largest // 3, largest // 2, largest]] * 2).astype(dtype)
    np.savez(tmp_path / "a.npz", images=image[None], masks=PATTERN[None])
    x, _, _ = read(str(tmp_path / "a.npz"), num_channels=1)
    np.testing.assert_allclose(x[0], image / largest, rtol=1e-6)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((2, 4), 1.5), r"expected floats in \[0, 1\], got float64 from 1.5 to 1.5"),
        (np.int16([[-3, 9, 0, 0]] * 2), "over the range .*, 0 to 32767, got int16 from -3 to 9"),
        (np.int64([[3, 255, 0, 0]] * 2), "range of their type, 0 to .*, got int64 from 0 to 255"),
    ],
)
def test_other_ranges_are_named(image, message):
    with pytest.raises(ValueError, match=f"^image: .*{message}; save the image as uint8"):
        SegmentationReader(num_channels=1).text_to_instance(image, PATTERN)


def test_tiny_floats_are_in_their_range():
    image = np.full((2, 4), 1e-30, dtype=np.float32)
    x = SegmentationReader(num_channels=1).text_to_instance(image, PATTERN)["x"].tensor
    assert torch.equal(x[0], torch.full((2, 4), 1e-30))


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_image_and_mask_are_turned_alike(tmp_path, orientation, ending):
    stored = Image.fromarray(np.kron(PATTERN * 200, np.ones((8, 8), np.uint8)))
    mask = Image.fromarray(np.kron(PATTERN, np.ones((8, 8), np.uint8)))
    path = write(tmp_path, stored, mask, ending, "png", (orientation, orientation))
    turn = {  # of EXIF: where the first row and the first column of the stored image belong
        2: np.fliplr,
        3: lambda a: a[::-1, ::-1],
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).T,
        8: np.rot90,
    }[orientation]
    x, labels, _ = read(path, num_channels=1)
    np.testing.assert_array_equal(labels, turn(np.asarray(mask)) == 1)
    np.testing.assert_array_equal(x[0] > 0.4, labels)


def test_an_upright_mask_fits_a_turned_image(tmp_path):
    pixels = Image.fromarray(PATTERN * 255)
    upright = Image.fromarray(np.rot90(PATTERN, -1).copy())
    x, labels, _ = read(write(tmp_path, pixels, upright, exif=(6, 1)), num_channels=1)
    np.testing.assert_array_equal(x[0] == 1, labels)
    assert labels.shape == (4, 2) and labels.sum() == 4


@pytest.mark.parametrize(("exif", "size"), [((3, 1), (4, 2)), ((6, 1), (4, 2)), ((6, 8), (4, 4))])
def test_orientations_that_disagree_are_refused(tmp_path, exif, size):
    path = write(tmp_path, Image.new("RGB", size), Image.new("L", size), exif=exif)
    with pytest.raises(
        ValueError, match=f"masks/a.png: expected the EXIF .*, {exif[0]}, got {exif[1]}, .* upright"
    ):
        read(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"foreground": []}, "at least one value as foreground"),
        ({"foreground": [1], "void": [1]}, "got 1 as foreground and as void"),
        ({"foreground": [1], "background": [0, 1]}, "got 1 as foreground and as background"),
        ({"background": [0], "void": [0]}, "got 0 as background and as void"),
        ({"foregruond": [1]}, "foregruond"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        DatasetReader.from_params(Params({"type": "segmentation-npy", **settings}))


@pytest.mark.data
@pytest.mark.skipif(
    not available("weizmann_horses"),
    reason="needs weizmann_horses in the folder that STRUCTURED_ENERGY_DATA names",
)
def test_the_published_horses_read_as_ever():
    expected = "288b022f10c52bdb0275f5d241b38d5a41d07da2faf128be52caba0b8246a3d6"
    digest = hashlib.sha256()
    for instance in SegmentationReader().read("data://weizmann_horses/train"):
        for name in ("x", "labels"):
            digest.update(instance[name].tensor.numpy().tobytes())
    assert digest.hexdigest() == expected
