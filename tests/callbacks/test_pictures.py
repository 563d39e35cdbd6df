"""Pictures show what the model predicts, and leave no trace in its training."""

import json

import numpy as np
import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Vocabulary
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from structured_energy.callbacks import PicturesCallback
from structured_energy.callbacks.image_grid import Column, draw_grid
from structured_energy.testing import evaluate_jsonnet, merged, train_snippet, write_images

ENCODER = "{ type: 'u-net', hidden: [4, 4], dropout: 0.3 }"
MODEL = f"""
{{
  dataset_reader: {{ type: 'segmentation-npy' }},
  data_loader: {{ type: 'tensor', batch_size: 8, shuffle: true }},
  validation_data_loader: {{ type: 'tensor', batch_size: 6 }},
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'iou',
    decoder: {{ type: 'threshold', metric: 'iou' }},
    metrics: ['iou'],
    task_network: {{ encoder: {ENCODER} }},
    score_network: {{
      encoder: {ENCODER}, structured_scores: [{{ type: 'image-and-mask', hidden: [4] }}],
    }},
    loss: 'value-regression',
    sampler: {{ type: 'appending-container', constituents: ['inference-network', 'random'] }},
    inference: {{
      type: 'inference-network',
      loss: {{ type: 'combination', constituents: ['value', 'cross-entropy'] }},
    }},
  }},
  trainer: {{ type: 'minimax', optimizer: {{ type: 'adam', lr: 0.01 }}, num_epochs: 5 }},
}}
"""
# A descent that draws random numbers, in the start.
DESCENT = {"type": "gradient-based-inference", "num_steps": 6, "start": "random", "pick": "last"}
PICTURES = {
    "type": "pictures",
    "every": 2,
    "num_images": 3,
    "num_steps_shown": 3,
    "descent": DESCENT,
}


def data(folder):
    return {
        "train_data_path": str(write_images(folder, "train", 20, seed=1)),
        "validation_data_path": str(write_images(folder, "validation", 9, seed=2)),
    }


def train(folder, *callbacks, over=None):
    config = merged(data(folder / "data"), {"trainer": {"callbacks": list(callbacks)}})
    return train_snippet(MODEL, folder, merged(config, over or {}))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return folder / "run", train(folder, PICTURES)


def files(run):
    return sorted(path.name for path in (run / "pictures").iterdir())


def shown(run):
    events = EventAccumulator(str(run / "log" / "pictures"))
    events.Reload()
    return [event.step for event in events.Images("pictures")]


class StandIn:
    """What the callback asks of a trainer."""

    _moving_average = None
    cuda_device = torch.device("cpu")

    def __init__(self, model, batches):
        self.model = model
        self._validation_data_loader = batches


def columns_of(model, batch, folder, **settings):
    callback = PicturesCallback(str(folder), **settings)
    callback.on_start(StandIn(model, [batch]))
    return {column.title: column for column in callback._columns(model)}


def batch_of(folder):
    reader = DatasetReader.from_params(Params({"type": "segmentation-npy"}))
    batch = Batch(list(reader.read(str(write_images(folder, "more", 4, seed=3)))))
    batch.index_instances(Vocabulary())
    return batch.as_tensor_dict()


def test_pictures_come_at_their_epochs_and_of_the_best_weights(run):
    folder, _ = run
    assert files(folder) == ["best.png", "epoch_1.png", "epoch_3.png"]
    assert shown(folder) == [1, 3, 5]
    sizes = {Image.open(folder / "pictures" / name).size for name in files(folder)}
    assert len(sizes) == 1
    ((width, height),) = sizes
    assert width > height > 100  # seven columns of three rows


def test_training_is_what_it_were_without(run, tmp_path):
    folder, model = run
    plain = train(tmp_path)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    metrics = [
        json.loads((path / "metrics.json").read_text()) for path in (folder, tmp_path / "run")
    ]
    kept = [
        {key: v for key, v in values.items() if "memory" not in key and "duration" not in key}
        for values in metrics
    ]
    assert kept[0] == kept[1]


def test_a_run_that_goes_on_draws_no_picture_twice(run, tmp_path, monkeypatch):
    folder, _ = run
    on_epoch = PicturesCallback.on_epoch

    def killed(self, trainer, metrics, epoch, is_primary=True):
        if epoch == 2:
            raise KeyboardInterrupt
        on_epoch(self, trainer, metrics, epoch, is_primary)

    monkeypatch.setattr(PicturesCallback, "on_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, PICTURES)
    assert files(tmp_path / "run") == ["epoch_1.png"]
    monkeypatch.undo()
    config = merged(evaluate_jsonnet(MODEL), data(tmp_path / "data"))
    config["trainer"]["callbacks"] = [PICTURES]
    train_model(Params(config), str(tmp_path / "run"), recover=True)
    assert files(tmp_path / "run") == files(folder)
    assert shown(tmp_path / "run") == [1, 3, 5]
    for name in files(folder):
        first, second = (
            np.asarray(Image.open(where / "pictures" / name))
            for where in (folder, tmp_path / "run")
        )
        assert np.array_equal(first, second), name


def test_the_columns_are_what_the_model_predicts(run, tmp_path):
    _, model = run
    batch = batch_of(tmp_path)
    for training in (False, True):
        model.train(training)
        columns = columns_of(model, batch, tmp_path, num_images=3)
        assert model.training == training
    assert list(columns) == ["input", "truth", "probability", "prediction"]
    model.eval()
    with torch.no_grad():
        expected = model(x=batch["x"][:3])["probabilities"]
    np.testing.assert_allclose(np.stack(columns["probability"].tiles), expected, atol=1e-6)
    np.testing.assert_array_equal(
        np.stack(columns["input"].tiles), batch["x"][:3].permute(0, 2, 3, 1)
    )
    truth = batch["labels"][:3].numpy().astype(bool)
    np.testing.assert_array_equal(np.stack(columns["truth"].tiles), truth)
    predicted = expected.numpy() > float(model.decoder.threshold)
    np.testing.assert_array_equal(np.stack(columns["prediction"].tiles), predicted)
    shared, whole = (truth & predicted).sum((1, 2)), (truth | predicted).sum((1, 2))
    assert columns["prediction"].notes == [f"IoU {value:.2f}" for value in shared / whole]


def test_the_steps_are_those_of_the_descent_of_the_inference(tmp_path):
    config = merged(evaluate_jsonnet(MODEL), data(tmp_path / "data"))
    del config["model"]["task_network"]
    config["model"]["sampler"] = "random"
    config["model"]["inference"] = {**DESCENT, "start": "uniform", "num_steps": 7}
    config["trainer"]["num_epochs"] = 1
    model = train_model(Params(config), str(tmp_path / "run"))
    batch = batch_of(tmp_path)
    columns = columns_of(model, batch, tmp_path, num_steps_shown=4)
    titles = ["step 0", "step 2", "step 4", "step 7"]
    assert [title for title in columns if title.startswith("step")] == titles
    np.testing.assert_array_equal(columns["step 0"].tiles[0], np.full((10, 12), 0.5))
    # The prediction is where the descent ends.
    for step, probability in zip(
        columns["step 7"].tiles, columns["probability"].tiles, strict=True
    ):
        np.testing.assert_allclose(step, probability, atol=1e-6)
    y = torch.tensor(np.stack(columns["step 7"].tiles)).unsqueeze(1)
    with torch.no_grad():
        scores = model.score_network(batch["x"], y)[:, 0].tolist()
    assert columns["step 7"].notes == [f"score {score:.3g}" for score in scores]


def test_the_pictures_are_of_the_averaged_weights(run, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        PicturesCallback,
        "_draw",
        lambda self, model, *_: seen.append([p.detach().clone() for p in model.parameters()]),
    )
    averaged = []

    class Average:
        def assign_average_value(self):
            averaged.append("assigned")

        def restore(self):
            averaged.append("restored")

    _, model = run
    trainer = StandIn(model, [batch_of(tmp_path)])
    trainer._moving_average = Average()
    callback = PicturesCallback(str(tmp_path), every=3)
    for epoch in range(6):
        callback.on_epoch(trainer, {}, epoch)
    assert averaged == ["assigned", "restored"] * 2
    assert len(seen) == 2


def test_a_run_that_failed_has_no_best_picture(run, tmp_path):
    _, model = run
    callback = PicturesCallback(str(tmp_path))
    callback.on_end(StandIn(model, []), None, None)
    callback.on_end(StandIn(model, []), {}, 1, is_primary=False)
    assert not (tmp_path / "pictures").exists()


def test_a_grid_has_every_tile_at_its_place():
    generator = np.random.default_rng(0)
    colours = [generator.random((5, 4, 3)) for _ in range(2)]
    greys = [generator.random((5, 4)) for _ in range(2)]
    figure = draw_grid([Column("a", colours), Column("b", greys, ["first", "second"])], "title")
    grid = np.asarray(figure.axes[0].images[0].get_array())
    height, width = grid.shape[0] // 2, grid.shape[1] // 2
    for row in range(2):
        for column, tile in enumerate((colours[row], np.repeat(greys[row][..., None], 3, 2))):
            above, left = row * height, column * width
            np.testing.assert_array_equal(grid[above : above + 5, left : left + 4], tile)
    texts = [text.get_text() for text in (*figure.axes[0].texts, *figure.texts)]
    assert texts == ["a", "b", "first", "second", "title"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 0}, "at least 1"),
        ({"num_images": 0}, "at least 1"),
        ({"num_steps_shown": 0}, "at least 1"),
        ({"descent": {"type": "uniform"}}, "got UniformSampler"),
        ({"evry": 2}, "evry"),
    ],
    ids=str,
)
def test_bad_settings_raise(tmp_path, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        train(tmp_path, {"type": "pictures", **settings})


def test_what_is_no_image_raises(run, tmp_path):
    _, model = run
    for batches, message in (
        (None, "Expected validation data"),
        ([], "Expected validation data"),
        ([{"x": torch.rand(2, 5)}], r"got \(2, 5\)"),
        ([{"x": torch.rand(2, 2, 5, 5)}], r"got \(2, 2, 5, 5\)"),
        ([{"x": {"tokens": {}}}], "got dict"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            PicturesCallback(str(tmp_path)).on_start(StandIn(model, batches))
    with pytest.raises(ConfigurationError, match="got Linear"):
        PicturesCallback(str(tmp_path)).on_start(StandIn(torch.nn.Linear(2, 2), []))


def test_a_descent_wants_a_score_network(tmp_path):
    config = evaluate_jsonnet(MODEL)
    for key in ("score_network", "loss", "inference"):
        del config["model"][key]
    config["model"]["sampler"] = {"type": "inference-network", "loss": "cross-entropy"}
    config["trainer"]["callbacks"] = [PICTURES]
    with pytest.raises(ConfigurationError, match="a model with a score_network"):
        train_model(Params(merged(config, data(tmp_path))), str(tmp_path / "run"))
