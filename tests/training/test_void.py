"""Pixels with an unknown label change no loss, metric or prediction, whatever their label."""

import copy
import random

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from shipped import METHODS, name_of, small_and_plain

from structured_energy.callbacks import PicturesCallback
from structured_energy.data import RandomCrop, RandomFlip, SegmentationReader, TensorDataLoader
from structured_energy.reporting import diagnose
from structured_energy.testing import train_snippet, write_images

IMAGES = [path for path in METHODS if "segmentation" in path.parts]


def write_void(folder, name="void", count=6):
    """Write images; about a tenth of the pixels have the value 255 in their masks."""
    path = write_images(folder, name, count)
    with np.load(path) as arrays:
        images, masks = arrays["images"], arrays["masks"].astype(np.uint8)
    masks[np.random.default_rng(0).random(masks.shape) < 0.1] = 255
    np.savez(path, images=images, masks=masks)
    return path, masks


def batch_of(folder, augmentations=()):
    path, masks = write_void(folder)
    loader = TensorDataLoader(
        SegmentationReader(void=[255]), str(path), batch_size=6, augmentations=list(augmentations)
    )
    loader.index_with(Vocabulary())
    (batch,) = loader
    return batch, torch.from_numpy(masks)


def with_other_void(batch):
    return {**batch, "labels": batch["labels"] ^ ~batch["mask"]}


def model_of(path, folder):
    torch.manual_seed(0)
    params = Params(small_and_plain(path, folder)["model"])
    return Model.from_params(params, vocab=Vocabulary())


def judged(model, batch):
    """Return the loss, its gradients, the predictions and the metrics of a batch."""
    torch.manual_seed(1)
    model.zero_grad()
    with model.fitting():
        output = model(**batch)
    if model.training:
        output["loss"].backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    metrics = model.get_metrics(reset=True)
    return {**output, "gradients": gradients, "metrics": metrics}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("path", IMAGES, ids=name_of)
def test_the_label_of_a_void_pixel_has_no_effect(tmp_path, path, training):
    batch, _ = batch_of(tmp_path)
    model = model_of(path, tmp_path)
    model.train(training)
    first = judged(copy.deepcopy(model), batch)
    second = judged(copy.deepcopy(model), with_other_void(batch))
    assert torch.equal(first.pop("loss"), second.pop("loss"))
    assert first["metrics"] == second["metrics"] != {}
    for one, other in zip(first["gradients"], second["gradients"], strict=True):
        assert torch.equal(one, other)
    if not training:
        assert torch.equal(first["probabilities"], second["probabilities"])
    # A known label does change them.
    changed = batch["labels"] ^ batch["mask"]
    third = judged(copy.deepcopy(model), {**batch, "labels": changed})
    assert third["metrics"] != first["metrics"]


@pytest.mark.parametrize("path", IMAGES, ids=name_of)
def test_predictions_do_not_see_which_pixels_are_void(tmp_path, path):
    batch, _ = batch_of(tmp_path)
    model = model_of(path, tmp_path).eval()
    found = []
    for mask in (None, batch["mask"], ~batch["mask"]):
        torch.manual_seed(0)
        output = model(x=batch["x"], mask=mask)
        found.append(output["probabilities"])
        assert "mask" not in output
        readable = model.make_output_human_readable(output)
        assert np.array(readable["labels"]).shape == (6, 10, 12)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


def test_loaders_and_augmentations_carry_the_mask(tmp_path):
    batch, masks = batch_of(tmp_path)
    assert torch.equal(batch["mask"], masks != 255)
    assert torch.equal(batch["labels"], masks == 1)
    loader = MultiProcessDataLoader(
        SegmentationReader(void=[255]), str(tmp_path / "void.npz"), batch_size=6, quiet=True
    )
    loader.index_with(Vocabulary())
    (other,) = loader
    for name, tensor in batch.items():
        assert torch.equal(tensor, other[name])
    # The first channel identifies the window, which image, labels and mask share.
    torch.manual_seed(0)
    cropped, _ = batch_of(tmp_path, [RandomCrop([4, 5]), RandomFlip()])
    assert cropped["mask"].shape == cropped["labels"].shape == (6, 4, 5)
    for i in range(6):
        windows = [
            (row, column, flip)
            for row in range(7)
            for column in range(8)
            for flip in (False, True)
            if torch.equal(cropped["x"][i], window(batch["x"][i], row, column, flip))
        ]
        ((row, column, flip),) = windows
        for name in ("mask", "labels"):
            assert torch.equal(cropped[name][i], window(batch[name][i], row, column, flip))


def window(tensor, row, column, flip):
    part = tensor[..., row : row + 4, column : column + 5]
    return part.flip(-1) if flip else part


MODEL = """
{
  dataset_reader: { type: 'segmentation-npy', void: [255] },
  data_loader: { type: 'tensor', batch_size: 4, augmentations: ['random-flip'] },
  validation_data_loader: { type: 'tensor', batch_size: 4 },
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'iou',
    decoder: { type: 'threshold', metric: 'iou' },
    metrics: ['iou', 'pixel-accuracy'],
    score_network: {
      encoder: { type: 'u-net', hidden: [4, 4] },
      structured_scores: ['grid', { type: 'image-and-mask', hidden: [4] }],
    },
    loss: 'margin-based',
    sampler: { type: 'gradient-based-inference', num_steps: 3, start: 'uniform', pick: 'last' },
  },
  trainer: {
    type: 'minimax', optimizer: { type: 'adam', lr: 0.01 }, num_epochs: 2,
    callbacks: [{ type: 'pictures', every: 1, num_images: 3 }],
  },
}
"""


def test_training_pictures_diagnosis_and_predictor_ignore_void_pixels(tmp_path):
    path, masks = write_void(tmp_path)
    random.seed(0)
    model = train_snippet(
        MODEL, tmp_path, {"train_data_path": str(path), "validation_data_path": str(path)}
    ).eval()
    assert (tmp_path / "run" / "pictures" / "best.png").exists()
    batch, _ = batch_of(tmp_path)

    callback = PicturesCallback(str(tmp_path))
    callback._descent = model.inference
    callback._batch = batch
    columns = {column.title: column for column in callback._columns(model)}
    expected = np.where(masks == 255, 0.5, masks)
    np.testing.assert_array_equal(np.stack(columns["truth"].tiles), expected)
    np.testing.assert_allclose(
        np.stack(columns["step 3"].tiles), np.stack(columns["probability"].tiles), atol=1e-6
    )
    probabilities = np.stack(columns["probability"].tiles)
    predicted = probabilities > float(model.decoder.threshold)
    iou = []
    for truth, guess in zip(masks, predicted, strict=True):
        known = truth != 255
        either = ((truth == 1) | guess) & known
        iou.append(((truth == 1) & guess & known).sum() / either.sum())
    assert columns["prediction"].notes == [f"IoU {value:.2f}" for value in iou]

    diagnosis = diagnose(model, [batch, batch])
    np.testing.assert_allclose(diagnosis.oracle_values, iou * 2, atol=1e-5)
    (curve,) = diagnosis.decoder
    assert curve.values[curve.candidates.index(curve.used)] == pytest.approx(np.mean(iou), abs=1e-5)
    np.testing.assert_allclose(diagnosis.path[-1], diagnosis.prediction_scores, atol=1e-4)
    other = diagnose(model, [with_other_void(batch)] * 2)
    for name in ("oracle_values", "agreement", "truth_scores", "prediction_scores", "path"):
        np.testing.assert_array_equal(getattr(other, name), getattr(diagnosis, name))

    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    instances = list(predictor._dataset_reader.read(str(path)))
    for prediction, expected in zip(
        predictor.predict_batch_instance(instances), probabilities, strict=True
    ):
        np.testing.assert_allclose(prediction["probabilities"], expected, atol=1e-5)
