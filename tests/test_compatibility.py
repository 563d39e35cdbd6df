"""The patches of AllenNLP, by what AllenNLP does with them."""

import copy
import inspect
import json
import os
import pkgutil
import subprocess
import sys
import time
import types
import warnings
from importlib.metadata import version
from typing import get_args

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models.archival import _load_dataset_readers
from allennlp.training import Checkpointer, checkpointer, gradient_descent_trainer
from allennlp.training.callbacks import TrainerCallback
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.moving_average import MovingAverage

from structured_energy.compatibility import PATCHES, Patch, apply_patches
from structured_energy.compatibility.patch import Kind
from structured_energy.data import ArffReader
from structured_energy.testing import data_config, evaluate_jsonnet, merged, train_snippet

TRAINED = """{
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {
      encoder: {
        type: 'feedforward',
        feedforward: {num_layers: 1, hidden_dims: 4, activations: 'relu'},
      },
    },
    sampler: {type: 'inference-network', loss: 'cross-entropy'},
  },
  trainer: {type: 'minimax', num_epochs: 1},
}"""


@pytest.fixture()
def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=1.0)


def current_values():
    return [inspect.getattr_static(patch.target, patch.name) for patch in PATCHES]


@pytest.fixture(scope="module")
def missing_places():
    """The places of the table that AllenNLP does not have, from a process without this package."""
    script = (
        "import json, pkgutil, sys\n"
        "def exists(place):\n"
        "    owner, _, name = place.rpartition('.')\n"
        "    return name in vars(pkgutil.resolve_name(owner))\n"
        "print(json.dumps([place for place in sys.argv[1:] if not exists(place)]))\n"
        "assert 'structured_energy' not in sys.modules\n"
    )
    places = [patch.place for patch in PATCHES]
    command = [sys.executable, "-c", script, *places, "allennlp.common.params.Params.no_such"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_every_target_exists_in_allennlp(missing_places):
    assert version("allennlp") == "2.10.1"
    assert missing_places == ["allennlp.common.params.Params.no_such"]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.place)
def test_a_target_is_replaced(patch):
    value = inspect.getattr_static(patch.target, patch.name)
    assert value is patch.replacement
    owner = pkgutil.resolve_name(patch.place.rpartition(".")[0])
    assert inspect.getattr_static(owner, patch.name) is value
    assert patch.kind in get_args(Kind) and patch.why.endswith(".")


def test_no_target_has_two_patches():
    assert len({patch.place for patch in PATCHES}) == len(PATCHES) > 30


def test_applying_the_patches_twice_does_nothing():
    before = current_values()
    apply_patches(PATCHES)
    assert all(old is new for old, new in zip(before, current_values(), strict=True))
    with pytest.raises(ConfigurationError) as error:
        Params({"type": "adamm"}).pop_choice("type", ["adam"])
    assert str(error.value).count("did you mean 'adam'?") == 1


def test_a_patch_is_applied_to_its_target():
    class Owner:
        value = 1

    patch = Patch(Owner, "value", 2, "bug", "It was 1.")
    apply_patches([patch])
    assert Owner.value == 2
    assert patch.place == f"{__name__}.{Owner.__qualname__}.value"
    assert Patch(json, "loads", None, "bug", "").place == "json.loads"


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"patince": 3}, "at 'trainer' of the config, got 'patince'; did you mean 'patience'?"),
        ({"optimizer": {"type": "adamm"}}, "'type' at 'trainer.optimizer' .*did you mean 'adam'?"),
        ({"optimizer": {"type": "qqq"}}, "got 'qqq'; is its package included?"),
        ({"optimizer": {"type": "adam", "rate": 1}}, "AdamOptimizer at 'trainer.optimizer'"),
    ],
    ids=str,
)
def test_a_misspelling_is_reported_with_its_place(tmp_path, trainer, message):
    with pytest.raises(ConfigurationError, match=message):
        train_snippet(TRAINED, tmp_path, {"trainer": trainer})


def test_reduce_on_plateau(optimizer):
    params = Params({"type": "reduce_on_plateau", "factor": 0.5, "patience": 0, "mode": "max"})
    scheduler = LearningRateScheduler.from_params(params, optimizer=optimizer)
    for metric in (1.0, 0.5, 2.0, 1.5):
        scheduler.step(metric)
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_a_file_of_a_checkpoint_is_complete_or_does_not_exist(tmp_path):
    class Killed(Exception):
        pass

    class KillsWhileItIsWritten:
        def __reduce__(self):
            raise Killed

    path = tmp_path / "training_state_e1_b0.th"
    with pytest.raises(Killed):
        checkpointer.torch.save({"first": 1, "second": KillsWhileItIsWritten()}, str(path))
    assert not path.exists()
    checkpointer.torch.save({"first": 1}, str(path))
    assert torch.load(path) == {"first": 1} and os.listdir(tmp_path) == [path.name]


def test_a_checkpoint_with_one_of_its_two_files_is_skipped(tmp_path):
    for name in ("model_state_e1_b0", "training_state_e1_b0", "model_state_e2_b0"):
        torch.save({"name": name}, tmp_path / f"{name}.th")
    checkpoint = Checkpointer(str(tmp_path)).load_checkpoint()
    assert checkpoint.trainer_state == {"name": "training_state_e1_b0"}


def test_a_checkpoint_with_a_cosine_schedule_is_loaded(optimizer, tmp_path):
    params = Params({"type": "cosine", "t_initial": 4})
    scheduler = LearningRateScheduler.from_params(params, optimizer=optimizer)
    scheduler.step()
    state = {"optimizer": optimizer.state_dict(), "learning_rate_scheduler": scheduler.state_dict()}
    torch.save({}, tmp_path / "model_state_e1_b0.th")
    torch.save(state, tmp_path / "training_state_e1_b0.th")
    loaded = Checkpointer(tmp_path).load_checkpoint()
    assert loaded.trainer_state["optimizer"]["param_groups"][0]["lr"] == pytest.approx(0.853553)


def test_a_pickle_with_code_is_not_loaded(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (exec, ("raise SystemExit('executed')",))

    torch.save({}, tmp_path / "model_state_e1_b0.th")
    torch.save({"x": Hostile()}, tmp_path / "training_state_e1_b0.th")
    with pytest.raises(Exception, match="(?i)weights.only"):
        Checkpointer(tmp_path).load_checkpoint()


def test_a_moving_average_still_averages_the_model_after_recovery():
    parameter = torch.nn.Parameter(torch.ones(2))
    params = Params({"type": "exponential", "decay": 0.5})
    average = MovingAverage.from_params(params, parameters=[("w", parameter)])
    with torch.no_grad():
        parameter.mul_(3)
    average.apply()
    state = average.state_dict()

    fresh = torch.nn.Parameter(torch.full((2,), 3.0))
    recovered = MovingAverage.from_params(
        Params({"type": "exponential", "decay": 0.5}), parameters=[("w", fresh)]
    )
    recovered.load_state_dict(state)
    recovered.assign_average_value()
    assert fresh.tolist() == [2.0, 2.0]
    recovered.restore()
    assert fresh.tolist() == [3.0, 3.0]


def test_autocast_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with gradient_descent_trainer.amp.autocast(False):
            assert not torch.is_autocast_enabled("cuda")


def test_wandb_gets_the_arguments_of_current_versions(monkeypatch, tmp_path):
    calls = []
    wandb = types.ModuleType("wandb")
    wandb.init = lambda *, id, dir, project, **settings: calls.append((id, settings))
    wandb.save = lambda path, base_path: calls.append(path)
    wandb.finish = lambda: calls.append("finish")
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    (tmp_path / "config.json").write_text("{}")
    params = Params({"type": "wandb", "project": "p", "watch_model": False})
    callback = TrainerCallback.from_params(params, serialization_dir=str(tmp_path))
    trainer = types.SimpleNamespace(_serialization_dir=str(tmp_path), model=torch.nn.Linear(1, 1))
    callback.on_start(trainer)
    run_id, settings = calls[0]
    assert len(run_id) == 8
    assert "anonymous" not in settings
    assert callback.state_dict() == {"run_id": run_id}
    callback.close()
    assert calls[-1] == "finish"


def test_a_recovered_run_resumes_its_run_of_wandb(wandb_environment, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(TRAINED))
    config["trainer"]["callbacks"] = [{"type": "wandb"}]
    for recover in (False, True):
        time.sleep(1.1)  # the folder of a run is named by the second
        train_model(Params(copy.deepcopy(config)), str(tmp_path / "run"), recover=recover)
    names = [path.name for path in (tmp_path / "run" / "wandb").glob("offline-run-*")]
    first, second = (name.rpartition("-")[2] for name in names)
    assert first == second


def test_a_dataset_reader_may_be_given_as_a_name(tmp_path):
    readers = _load_dataset_readers(Params({"dataset_reader": "arff"}), str(tmp_path))
    assert all(isinstance(reader, ArffReader) for reader in readers)
