"""A run recovered with more epochs, finished or killed, equals the longer run bit for bit."""

import copy
import json

import killing
import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import TrainerCallback
from test_kill_anywhere import compare, config_of

from structured_energy.testing import data_config, evaluate_jsonnet, merged

# Killed within the second of two epochs, after the checkpoint of the first.
KILL_AT = {"finished": None, "killed": ["after validation", "after batch", "after batch"]}


def with_epochs(config, num_epochs):
    return json.dumps(merged(json.loads(config), {"trainer": {"num_epochs": num_epochs}}))


@pytest.mark.parametrize(
    ("mode", "end"),
    [
        *((mode, "finished") for mode in ("plain", "cosine", "plateau", "average", "phases")),
        *((mode, end) for mode in ("within epochs", "two processes") for end in KILL_AT),
    ],
)
def test_a_run_recovered_with_more_epochs_equals_the_longer_run(tmp_path, mode, end):
    config = config_of(mode, tmp_path)
    assert killing.train(config, tmp_path / "long")
    finished = killing.train(with_epochs(config, 2), tmp_path / "short", KILL_AT[end])
    assert finished == (end == "finished")
    assert killing.train(config, tmp_path / "short")
    compare(tmp_path / "short", killing.outcome(tmp_path / "long"), mode)
    recorded = json.loads((tmp_path / "short" / "config.json").read_text())
    assert recorded["trainer"]["num_epochs"] == 4


@pytest.fixture()
def config(tmp_path):
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(killing.MODEL))
    return merged(config, {"evaluate_on_test": False, "trainer": {"num_epochs": 2, "patience": 9}})


@TrainerCallback.register("recording")
class Recording(TrainerCallback):
    """Record the learning rate of each batch."""

    rates = []

    def on_batch(self, trainer, *arguments, is_training, **settings):
        if is_training:
            self.rates.append(trainer.optimizer.param_groups[0]["lr"])


def train(config, folder, recover=False, **trainer):
    over = {"trainer": trainer}
    return train_model(Params(copy.deepcopy(merged(config, over))), str(folder), recover=recover)


@pytest.mark.parametrize("trainer", ["minimax", "gradient_descent"])
def test_a_schedule_over_the_whole_run_has_the_new_length(config, tmp_path, trainer):
    # The rate falls from 0.05 to 0 within 6 batches, 3 in each epoch, then within 12.
    schedule = {"type": "linear_with_warmup", "warmup_steps": 0}
    settings = {"learning_rate_scheduler": schedule, "type": trainer}
    train(config, tmp_path / "run", **settings)
    rates, callbacks = Recording.rates, ["recording"]
    rates.clear()
    train(config, tmp_path / "long", num_epochs=4, callbacks=callbacks, **settings)
    long = list(rates)
    assert long == pytest.approx([0.05 * (12 - step) / 12 for step in range(1, 13)])
    rates.clear()
    recorded = json.loads((tmp_path / "run" / "config.json").read_text())
    recorded["trainer"]["callbacks"] = callbacks
    (tmp_path / "run" / "config.json").write_text(json.dumps(recorded))
    train(config, tmp_path / "run", True, num_epochs=4, callbacks=callbacks, **settings)
    assert rates == pytest.approx(long[6:])


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"trainer": {"num_epochs": 1}}, "got 'trainer.num_epochs' 1, which was 2; only a larger"),
        (
            {"trainer": {"num_epochs": 3, "patience": 2}},
            "got 'trainer.patience' 2, which was 9; only",
        ),
        ({"trainer": {"grad_norm": 1.0}}, "got 'trainer.grad_norm' 1.0, which was not there"),
        ({"model": {"decoder": "argmax"}}, "got 'model.decoder' 'argmax', which was 'threshold'"),
    ],
    ids=str,
)
def test_other_changes_of_the_config_are_refused_by_key(config, tmp_path, over, message):
    train(config, tmp_path / "run")
    with pytest.raises(ConfigurationError, match=message):
        train_model(Params(merged(config, over)), str(tmp_path / "run"), recover=True)


def test_more_epochs_by_the_default_are_allowed(config, tmp_path):
    train(config, tmp_path / "run")
    del config["trainer"]["num_epochs"]
    config["trainer"]["patience"] = 9
    train(config, tmp_path / "run", recover=True)
    assert (tmp_path / "run" / "metrics_epoch_5.json").exists()
    with pytest.raises(ConfigurationError, match="'trainer.num_epochs' 19, which was not there"):
        train(config, tmp_path / "run", recover=True, num_epochs=19)


def test_recovery_after_patience_ran_out_trains_no_epoch_and_warns(config, tmp_path):
    settings = {"patience": 1, "optimizer": {"type": "sgd", "lr": 0.0}}
    train(config, tmp_path / "run", num_epochs=5, **settings)
    assert "Patience ran out" not in (tmp_path / "run" / "out.log").read_text()
    before = killing.outcome(tmp_path / "run")
    train(config, tmp_path / "run", True, num_epochs=7, **settings)
    said = (tmp_path / "run" / "out.log").read_text()
    assert "Patience ran out after 2 of 7 epochs, so no more are trained." in said
    assert killing.outcome(tmp_path / "run") == before
