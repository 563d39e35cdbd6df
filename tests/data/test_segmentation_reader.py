"""Images and masks from archives, folders and the registry; the windows of them that are taken."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from PIL import Image

from structured_energy.data import (
    RandomCrop,
    RandomFlip,
    SegmentationReader,
    TensorDataLoader,
)
from structured_energy.data.registry import available
from structured_energy.testing import write_images

needs_horses = pytest.mark.skipif(
    not available("weizmann_horses"),
    reason="needs weizmann_horses in the folder that STRUCTURED_ENERGY_DATA names",
)


def arrays_of(path):
    with np.load(path) as file:
        return file["images"], file["masks"]


def write_folder(folder, images, masks, ending="png"):
    for kind, arrays in (("images", images), ("masks", masks)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number, array in enumerate(arrays):
            made = 255 * array.astype(np.uint8) if array.dtype == bool else array
            Image.fromarray(made).save(folder / kind / f"{number:02d}.{ending}")


def test_an_archive_is_read_as_it_is(tmp_path):
    path = write_images(tmp_path, "train", 5)
    images, masks = arrays_of(path)
    instances = list(SegmentationReader().read(str(path)))
    assert len(instances) == 5
    for image, mask, instance in zip(images, masks, instances, strict=True):
        x, labels = instance["x"].tensor, instance["labels"].tensor
        assert x.shape == (3, 10, 12) and x.dtype == torch.float32
        np.testing.assert_allclose(x.numpy(), image.transpose(2, 0, 1) / 255, rtol=1e-6)
        assert labels.dtype == torch.bool and (labels.numpy() == mask).all()


def test_a_folder_of_files_is_the_same_data(tmp_path):
    path = write_images(tmp_path, "train", 4)
    write_folder(tmp_path / "files", *arrays_of(path))
    expected = list(SegmentationReader().read(str(path)))
    found = list(SegmentationReader().read(str(tmp_path / "files")))
    for one, other in zip(expected, found, strict=True):
        assert torch.equal(one["x"].tensor, other["x"].tensor)
        assert torch.equal(one["labels"].tensor, other["labels"].tensor)


@pytest.mark.parametrize(
    "masks",
    [np.uint8([[0, 1]]), np.uint8([[0, 255]]), np.array([[False, True]]), np.array([[0.0, 1.0]])],
)
def test_masks_of_every_range(masks):
    labels = SegmentationReader(num_channels=1).text_to_instance(np.zeros((1, 2)), masks)["labels"]
    assert labels.tensor.tolist() == [[False, True]]


def test_files_are_scaled_and_converted(tmp_path):
    write_folder(tmp_path, *arrays_of(write_images(tmp_path, "train", 2)))
    (instance, _) = SegmentationReader(num_channels=1, size=[5, 7]).read(str(tmp_path))
    assert instance["x"].tensor.shape == (1, 5, 7) and instance["labels"].tensor.shape == (5, 7)
    with Image.open(tmp_path / "images" / "00.png") as file:
        expected = np.asarray(file.convert("L").resize((7, 5), Image.Resampling.BILINEAR)) / 255
    np.testing.assert_allclose(instance["x"].tensor[0].numpy(), expected, rtol=1e-6)


@pytest.mark.data
@needs_horses
def test_the_published_horses():
    counts = {"train": 160, "validation": 40, "test": 128}
    for split, count in counts.items():
        instances = list(SegmentationReader().read(f"data://weizmann_horses/{split}"))
        assert len(instances) == count
        assert instances[0]["x"].tensor.shape == (3, 32, 32)
        share = torch.stack([instance["labels"].tensor for instance in instances]).float().mean()
        assert 0.2 < share < 0.35
    part = list(SegmentationReader().read("data://weizmann_horses/train[:50%]"))
    assert len(part) == 80


def bad_data(tmp_path):
    """What is wrong, its path, and what the message says."""
    images, masks = arrays_of(write_images(tmp_path, "good", 2))
    np.savez(tmp_path / "fewer.npz", images=images, masks=masks[:1])
    np.savez(tmp_path / "alone.npz", images=images)
    np.savez(tmp_path / "large.npz", images=images, masks=masks[:, :5])
    np.savez(tmp_path / "range.npz", images=images.astype(float), masks=masks)
    np.savez(tmp_path / "nan.npz", images=np.full(images.shape, np.nan), masks=masks)
    np.savez(tmp_path / "grey.npz", images=images[..., 0], masks=masks)
    np.savez(tmp_path / "one.npz", images=images, masks=masks[0, 0, 0])
    np.savez(tmp_path / "words.npz", images=images, masks=masks.astype(str))
    np.savez(tmp_path / "pickle.npz", images=np.array([None]), masks=masks)
    np.save(tmp_path / "own.npy", np.array([{"images": images}], dtype=object))
    (tmp_path / "text.npz").write_text("no archive")
    write_folder(tmp_path / "odd", images, masks[:1])
    write_folder(tmp_path / "broken", images, masks)
    (tmp_path / "broken" / "images" / "00.png").write_bytes(b"no image")
    (tmp_path / "empty").mkdir()
    return {
        "fewer.npz": "as many 'masks' .*, got",
        "alone.npz": "with the arrays 'images' and 'masks'",
        "large.npz": r"large.npz, image 0: expected a mask of the image's size \(10, 12\)",
        "range.npz": r"image 0: expected floats in \[0, 1\], got float64 from 0.0 to",
        "nan.npz": r"image 0: expected floats in \[0, 1\], got float64 from nan to nan",
        "grey.npz": r"expected an image \(height, width, 3\), got \(10, 12\); set num_channels",
        "one.npz": r"as many 'masks' \(N, height, width\), got .* and \(\)",
        "words.npz": "words.npz: expected numbers as 'masks', got <U5",
        "pickle.npz": "without objects",
        "text.npz": "expected a .npz file",
        "own.npy": "a pickle of one's own is not opened",
        "odd": "got only one of them for '01' and 0 others",
        "broken": "00.png: expected an image that Pillow can read",
        "empty": "empty/images: expected files of different names, and at least one, got 0",
    }


def test_bad_data_are_named(tmp_path):
    for name, message in bad_data(tmp_path).items():
        with pytest.raises(ValueError, match=message):
            list(SegmentationReader().read(str(tmp_path / name)))


@pytest.mark.parametrize("settings", [{"num_channels": 2}, {"size": [3]}, {"size": [0, 3]}])
def test_bad_settings_of_the_reader_are_named(settings):
    with pytest.raises(ConfigurationError, match="in the dataset reader 'segmentation-npy', got"):
        SegmentationReader(**settings)


def loaders(path, **settings):
    reader = SegmentationReader()
    made = [
        TensorDataLoader(reader, str(path), **settings),
        MultiProcessDataLoader(reader, str(path), quiet=True, **settings),
    ]
    for loader in made:
        loader.index_with(Vocabulary())
    return made


def test_batches_of_images_are_those_of_the_multiprocess_loader(tmp_path):
    results = []
    path = write_images(tmp_path, "train", 7)
    for loader in loaders(path, batch_size=3, shuffle=True):
        random.seed(5)
        results.append(list(loader))
    for one, other in zip(*results, strict=True):
        assert torch.equal(one["x"], other["x"]) and torch.equal(one["labels"], other["labels"])


def test_images_of_two_sizes_are_refused_in_a_batch(tmp_path):
    for size, name in ((4, "00"), (5, "01")):
        for kind, mode in (("images", "RGB"), ("masks", "L")):
            (tmp_path / kind).mkdir(exist_ok=True)
            Image.new(mode, (size, size)).save(tmp_path / kind / f"{name}.png")
    reader = SegmentationReader()
    loader = MultiProcessDataLoader(reader, str(tmp_path), batch_size=2, quiet=True)
    loader.index_with(Vocabulary())
    with pytest.raises(ValueError, match="Expected images of one size in a batch"):
        list(loader)
    ours = TensorDataLoader(reader, str(tmp_path), batch_size=2)
    with pytest.raises(ValueError, match="Expected images of one size for the data loader"):
        ours.index_with(Vocabulary())
    scaled = TensorDataLoader(SegmentationReader(size=[6, 6]), str(tmp_path), batch_size=2)
    scaled.index_with(Vocabulary())
    assert next(iter(scaled))["x"].shape == (2, 3, 6, 6)


def numbered(count=1, height=4, width=5):
    """Images whose first channel, and whose labels, number their pixels."""
    pixels = torch.arange(height * width).view(1, height, width).expand(count, -1, -1)
    return {"x": torch.stack([pixels, -pixels], dim=1).float(), "labels": pixels}


def test_crops_are_windows_and_every_window_comes_up_as_often():
    torch.manual_seed(0)
    batch = numbered(6000)
    cropped = RandomCrop([3, 2])(batch)
    assert cropped["x"].shape == (6000, 2, 3, 2) and cropped["labels"].shape == (6000, 3, 2)
    assert torch.equal(cropped["x"][:, 0], cropped["labels"].float())
    assert torch.equal(cropped["x"][:, 1], -cropped["labels"].float())
    corner = cropped["labels"][:, :1, :1]
    window = corner + torch.tensor([[0, 1], [5, 6], [10, 11]])
    assert torch.equal(cropped["labels"], window)
    counts = Counter(corner.flatten().tolist())
    assert set(counts) == {0, 1, 2, 3, 5, 6, 7, 8}
    assert all(650 < count < 850 for count in counts.values())
    assert torch.equal(batch["x"], numbered(6000)["x"])


def test_flips_exchange_left_and_right_of_image_and_mask():
    torch.manual_seed(0)
    batch = numbered(1000)
    flipped = RandomFlip()(batch)
    turned = flipped["labels"][:, 0, 0] == 4
    assert 400 < turned.sum() < 600
    for name, tensor in batch.items():
        assert torch.equal(flipped[name][turned], tensor[turned].flip(-1))
        assert torch.equal(flipped[name][~turned], tensor[~turned])
    assert torch.equal(RandomFlip(1.0)(batch)["x"], batch["x"].flip(-1))
    assert torch.equal(RandomFlip(0.0)(batch)["x"], batch["x"])


def test_the_loader_augments_anew_in_every_epoch(tmp_path):
    path = write_images(tmp_path, "train", 4)
    loader = TensorDataLoader(
        SegmentationReader(), str(path), batch_size=4, augmentations=[RandomCrop([6, 6])]
    )
    loader.index_with(Vocabulary())
    torch.manual_seed(0)
    (first,), (second,) = list(loader), list(loader)
    assert first["x"].shape == (4, 3, 6, 6) and not torch.equal(first["x"], second["x"])
    torch.manual_seed(0)
    (again,) = list(loader)
    assert torch.equal(again["x"], first["x"]) and torch.equal(again["labels"], first["labels"])


def test_bad_augmentations_are_named():
    with pytest.raises(
        ConfigurationError, match="a height and a width of at least 1 in the augmentation"
    ):
        RandomCrop([3])
    with pytest.raises(ConfigurationError, match="probability in .0, 1. of the augmentation"):
        RandomFlip(1.5)
    with pytest.raises(ValueError, match="got one of 4 pixels where it takes 5"):
        RandomCrop([5, 5])(numbered())


def test_files_that_are_broken_inside_are_named(tmp_path):
    path = write_images(tmp_path, "train", 2)
    whole = path.read_bytes()
    second = whole.index(b"PK\x03\x04", 4)
    path.write_bytes(whole[:second] + b"XX" + whole[second + 2 :])
    with pytest.raises(ValueError, match="train.npz: expected a .npz file .* Bad magic number"):
        list(SegmentationReader().read(str(path)))

    write_folder(tmp_path / "files", np.zeros((1, 4, 5, 3), np.uint8), np.zeros((1, 4, 5), bool))
    image = tmp_path / "files" / "images" / "00.png"
    image.write_bytes(image.read_bytes().replace(b"IDAT", b"IDAT\x00\x00\x00\x00\x10\x1f\x00;"))
    with pytest.raises(ValueError, match="00.png: expected an image that Pillow can read"):
        list(SegmentationReader().read(str(tmp_path / "files")))
