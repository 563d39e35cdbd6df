"""Weights & Biases where something is missing, fails, or is from before."""

import json
import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import wandb
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from PIL import Image

from structured_energy.callbacks import Reading, TreeToWandbCallback

pytestmark = pytest.mark.usefixtures("wandb_environment")


def reading(epoch, **arrays):
    return Reading(epoch, 3 * (epoch + 1), {"training": {"a": 0.5}}, {"training": arrays})


def finish(callback):
    callback.on_end(None, {}, 1)


@pytest.fixture()
def fake(monkeypatch):
    """What the callback asks of wandb, written down."""
    calls = SimpleNamespace(settings=None, rows=[])
    run = SimpleNamespace(
        id="r", offline=False, disabled=False, starting_step=0, define_metric=lambda *_, **__: None
    )
    run.log = lambda values, step, commit: calls.rows.append((step, values))

    def init(**settings):
        calls.settings = settings
        return run

    monkeypatch.setitem(
        sys.modules, "wandb", SimpleNamespace(init=init, run=None, errors=wandb.errors)
    )
    return SimpleNamespace(run=run, calls=calls)


def test_arrays_of_two_dimensions_are_images(tmp_path):
    callback = TreeToWandbCallback(str(tmp_path), mode="offline")
    callback.begin(0, 0)
    arrays = {
        "grey": np.array([[0.0, 0.5], [1.0, 1.5], [np.nan, -1.0]]),
        "colours": np.ones((4, 5, 3)),
        "more": np.ones((4, 5, 2)),
        "nothing": np.full(3, np.nan),
    }
    callback.write(reading(0, **arrays))
    finish(callback)
    wandb.teardown()
    (folder,) = tmp_path.glob("wandb/offline-run-*/files/media/images/training_images")
    images = {path.name.split("_")[0]: Image.open(path) for path in folder.iterdir()}
    assert images.keys() == {"grey", "colours"}
    assert np.asarray(images["grey"]).tolist() == [[0, 127], [255, 255], [0, 0]]
    assert images["colours"].size == (5, 4) and images["colours"].mode == "RGB"


def test_what_cannot_be_written_raises(tmp_path):
    with pytest.raises(ConfigurationError, match="Expected the mode 'online'.*got 'of'; leave"):
        TreeToWandbCallback(str(tmp_path), mode="of")
    with pytest.raises(ConfigurationError, match="got .'naem'. as well"):
        params = Params({"type": "tree-to-wandb", "naem": "n"})
        TrainerCallback.from_params(params, serialization_dir=str(tmp_path))


def test_one_callback_writes(tmp_path):
    callback = TreeToWandbCallback(str(tmp_path), mode="offline")
    callback.begin(0, 0)
    with pytest.raises(ConfigurationError, match="Expected no open run of W&B.*; keep one"):
        TreeToWandbCallback(str(tmp_path), mode="offline").begin(0, 0)
    finish(callback)


def test_without_the_package_the_first_worker_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    callback = TreeToWandbCallback(str(tmp_path))
    with pytest.raises(ConfigurationError, match="Expected the package wandb.*pip install wandb"):
        callback.begin(0, 0)


def test_other_workers_write_nothing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    for name in ("check_model", "value_names"):
        monkeypatch.setattr(f"structured_energy.callbacks.tree_callback.{name}", lambda *_: None)
    callback = TreeToWandbCallback(str(tmp_path))
    callback.on_start(SimpleNamespace(model=None), is_primary=False)
    callback.on_epoch(None, {}, 0, is_primary=False)
    callback.on_end(None, {}, 0, is_primary=False)
    assert not list(tmp_path.iterdir())


def test_disabled_it_writes_nothing(tmp_path):
    callback = TreeToWandbCallback(str(tmp_path), mode="disabled")
    callback.begin(0, 0)
    callback.write(reading(0, grey=np.eye(3)))
    finish(callback)
    assert not list(tmp_path.iterdir())


def test_where_nobody_answers_the_run_is_offline(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # this machine, where nobody listens
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "2")
    wandb.teardown()  # it reads its environment once
    callback = TreeToWandbCallback(str(tmp_path))
    with caplog.at_level(logging.WARNING):
        callback.begin(0, 0)
    assert "W&B cannot be reached, the run is written offline" in caplog.text
    callback.write(reading(0))
    finish(callback)
    wandb.teardown()
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))


def test_online_the_server_says_what_it_has(fake, tmp_path):
    fake.run.starting_step = 1
    (tmp_path / "wandb_run.json").write_text(json.dumps({"id": "r", "last_row": 2}))
    callback = TreeToWandbCallback(str(tmp_path), project="p", tags=["t"])
    callback.begin(2, 0)
    asked = fake.calls.settings
    assert (asked["id"], asked["resume"], asked["mode"]) == ("r", "allow", None)
    assert (asked["project"], asked["tags"], asked["name"]) == ("p", ["t"], None)
    for epoch in range(3):
        callback.write(reading(epoch))
    assert [step for step, _ in fake.calls.rows] == [1, 2]
    assert fake.calls.rows[1][1] == {"epoch": 2, "step": 9, "training/a": 0.5}
    assert json.loads((tmp_path / "wandb_run.json").read_text()) == {"id": "r", "last_row": 2}


def test_a_row_of_a_whole_epoch_is_after_that_of_its_last_batch(fake, tmp_path):
    callback = TreeToWandbCallback(str(tmp_path), unit="steps")
    callback.begin(0, 0)
    callback.write(reading(0))
    callback.write(Reading(0, 3, {"validation": {"a": 0.25}}, {}))
    callback.write(reading(1))
    assert [step for step, _ in fake.calls.rows] == [6, 7, 12]
