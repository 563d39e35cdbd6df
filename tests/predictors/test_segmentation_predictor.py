"""An image file in, a mask file out, by the command of a user."""

import json

import numpy as np
import pytest
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from forked_command import allennlp
from PIL import ExifTags, Image

from structured_energy.testing import train_snippet, write_images

MODEL = """
{
  dataset_reader: { type: 'segmentation-npy' },
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    metrics: ['iou'],
    task_network: { encoder: { type: 'u-net', hidden: [8, 8] } },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
  },
  trainer: { type: 'minimax', optimizer: { type: 'adam', lr: 0.01 }, num_epochs: 20 },
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmentation")
    data = {
        "train_data_path": str(write_images(folder, "train", 40, seed=1)),
        "validation_data_path": str(write_images(folder, "validation", 10, seed=2)),
    }
    train_snippet(MODEL, folder, data)
    with np.load(write_images(folder, "test", 3, seed=3)) as arrays:
        images, masks = arrays["images"], arrays["masks"]
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    Image.new("L", (30, 17)).save(folder / "grey.bmp")
    return folder, masks


def test_the_command_writes_masks(run):
    folder, masks = run
    lines = [
        {"image": str(folder / f"{number}.png"), "mask": str(folder / "out" / f"{number}.png")}
        for number in range(3)
    ]
    lines.append({"image": str(folder / "grey.bmp"), "mask": str(folder / "out" / "grey.tif")})
    (folder / "lines.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    flags = ("--predictor", "segmentation", "--batch-size", "4", "--silent")
    flags += ("--output-file", "predictions.jsonl")
    done = allennlp("predict", "run/model.tar.gz", "lines.jsonl", *flags, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in (folder / "predictions.jsonl").open()]
    assert [(line["image"], line["mask"]) for line in found] == [
        (line["image"], line["mask"]) for line in lines
    ]
    for number, truth in enumerate(masks):
        mask = np.asarray(Image.open(lines[number]["mask"]))
        assert set(np.unique(mask)) <= {0, 255} and mask.shape == truth.shape
        assert ((mask > 0) == truth).mean() > 0.95
        assert found[number]["share"] == pytest.approx((mask > 0).mean())
    assert Image.open(lines[3]["mask"]).size == (30, 17)


def test_the_predictor_of_every_task_gives_rows_of_pixels(run):
    folder, masks = run
    predictor = Predictor.from_archive(load_archive(folder / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"image": str(folder / "0.png")})
    rows = np.array(prediction["labels"])
    assert rows.shape == (10, 12) and (rows == masks[0]).mean() > 0.95
    assert ((np.array(prediction["probabilities"]) > 0.5) == rows).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"mask": "a.png"}, "Expected a line with the key 'image', the file of an image, got"),
        ({"image": "no.png", "mask": "a.png"}, "no.png: expected an image that Pillow can read"),
        ({"image": "0.png"}, "Expected a line with the key 'mask'"),
        ({"image": "0.png", "mask": "a.jpg"}, "ends in .png, .bmp or .tif, got 'a.jpg'"),
    ],
)
def test_bad_lines_are_named(run, line, message):
    archive = load_archive(run[0] / "run" / "model.tar.gz")
    predictor = Predictor.from_archive(archive, "segmentation")
    with pytest.raises(ValueError, match=message):
        predictor.predict_json(line)


def test_the_mask_of_a_turned_image_is_upright(run, tmp_path):
    folder, masks = run
    with Image.open(folder / "0.png") as image:
        upright = np.asarray(image)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the stored image is turned to the right to be shown
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "turned.png", exif=exif)
    predictor = Predictor.from_archive(
        load_archive(folder / "run" / "model.tar.gz"), "segmentation"
    )
    for image, mask in ((folder / "0.png", "a.png"), (tmp_path / "turned.png", "b.png")):
        predictor.predict_json({"image": str(image), "mask": str(tmp_path / mask)})
    found = [np.asarray(Image.open(tmp_path / name)) for name in ("a.png", "b.png")]
    np.testing.assert_array_equal(*found)
    assert found[0].shape == masks[0].shape
