"""Training that is killed at random moments and resumed leaves the same files as uninterrupted
training, bit for bit.

`KILLS=100 pytest tests/training/test_kill_anywhere.py` kills at more moments. The moments change
every day; a failure prints its seed, and `KILL_SEED=… pytest …` repeats it.
"""

import datetime
import json
import os
import random

import killing
import pytest

from structured_energy.testing import data_config, evaluate_jsonnet, merged

MODES = {
    "plain": {},
    "order": {"order": ["task_network", "score_network"], "rounds": 2},
    "accumulation": {"num_gradient_accumulation_steps": 2},
    "cosine": {"learning_rate_scheduler": {"type": "cosine", "t_initial": 3}},
    "plateau": {"learning_rate_scheduler": {"type": "reduce_on_plateau", "patience": 0}},
    "average": {"moving_average": {"type": "exponential", "decay": 0.9}},
    "patience": {"patience": 1, "num_epochs": 9, "validation_metric": "+loss.oracle_cost"},
    "phases": {
        "networks": {"score_network": {"stop_epoch": 3}, "task_network": {"start_epoch": 1}}
    },
    "three phases": {
        "num_epochs": 5,
        "networks": {
            "score_network": {
                "epochs": [[1, 3]],
                "learning_rate_scheduler": {"type": "cosine", "t_initial": 2},
            },
            "task_network": {
                "epochs": [[0, 1], [3, None]],
                "learning_rate_scheduler": {
                    "type": "noam",
                    "model_size": 1,
                    "warmup_steps": 4,
                    "factor": 0.01,
                },
            },
        },
    },
    "within epochs": {
        "checkpointer": {"save_every_num_batches": 1},
        "networks": {"task_network": {"num_gradient_accumulation_steps": 2}},
        "callbacks": [{"type": "tree-to-csv", "unit": "steps"}],
    },
    "continued data": {"data_loader": {"batches_per_epoch": 2}},
    "steps": {"callbacks": [{"type": "tree-to-csv", "unit": "steps", "every": 2}]},
}
KILLS = int(os.environ.get("KILLS", 1))
SEED = os.environ.get("KILL_SEED", datetime.date.today().isoformat())


def config_of(mode, folder):
    """Write small data; return the config of a mode."""
    config = merged(data_config(folder / "data"), evaluate_jsonnet(killing.MODEL))
    if mode.startswith("two processes"):
        config["distributed"] = {"cuda_devices": [-1, -1]}
    settings = dict(MODES.get(mode.removeprefix("two processes ").strip(), {}))
    config["data_loader"].update(settings.pop("data_loader", {}))
    config["trainer"].update(settings)
    if "within epochs" in mode:  # metrics of training are in the checkpoint as well
        config["model"].update(training_metrics=True, metrics=["example-f1", "map-label"])
    config["test_data_path"] = config["validation_data_path"]
    return json.dumps(config)


def compare(run, expected, moment):
    outcome = killing.outcome(run)
    for name, value in expected.items():
        assert outcome[name] == value, f"{name}: {moment}"


@pytest.mark.parametrize("mode", [*sorted(MODES), "two processes", "two processes within epochs"])
def test_a_run_killed_anywhere_equals_the_uninterrupted_run(tmp_path, mode):
    config = config_of(mode, tmp_path)
    whole = tmp_path / "whole"
    assert killing.train(config, whole)
    expected, moments = killing.outcome(whole), killing.moments_of(whole)

    print(f"KILL_SEED={SEED}")  # pytest shows it where the test fails
    draw = random.Random(f"{SEED} {mode}")
    # Draw the kind of moment first: there are many batches but only one archive.
    by_kind = {}
    for number, kind in enumerate(moments):
        by_kind.setdefault(kind, []).append(number)
    for kill in range(KILLS):
        run = tmp_path / f"run_{kill}"
        first = draw.choice(by_kind[draw.choice(sorted(by_kind))])
        moment = f"killed at {first}, {moments[first]}"
        assert not killing.train(config, run, first), moment
        second = draw.randrange(len(moments))  # the run may end before
        ended = killing.train(config, run, second)
        if not ended:
            assert killing.train(config, run)
        compare(run, expected, f"{moment}, then at {second} ({ended=})")


@pytest.mark.parametrize(
    ("mode", "kills"),
    [
        # After all batches of an epoch, so that the resumed run saves before it trains.
        ("within epochs", [["before validation"], ["after row", "before batch"]]),
        # While the workers have accumulated different gradients.
        ("two processes within epochs", [["after row", "before batch"]]),
    ],
)
def test_a_run_killed_at_rare_moments_equals_the_uninterrupted_run(tmp_path, mode, kills):
    config, whole, run = config_of(mode, tmp_path), tmp_path / "whole", tmp_path / "run"
    assert killing.train(config, whole)
    for kill in kills:
        assert not killing.train(config, run, kill)
    assert killing.train(config, run)
    compare(run, killing.outcome(whole), kills)
