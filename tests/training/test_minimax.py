"""The trainer compared with AllenNLP's, its steps and phases, and its recovery."""

import json
import os
import re
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training import gradient_descent_trainer
from forked_command import allennlp, begin, command, wait
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import data_config, evaluate_jsonnet, merged, train_snippet
from structured_energy.training import (
    JointOptimizer,
    JointScheduler,
    NetworkSettings,
    joint_optimizer,
)
from structured_energy.training.schedule import make_schedule

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus', dropout: 0.3}"
CROSS_ENTROPY = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    sampler: {{type: 'inference-network', loss: 'cross-entropy'}},
    metrics: ['example-f1'],
  }},
  trainer: {{type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.01}}}},
}}"""
MINIMAX = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'margin-based',
    sampler: {{type: 'inference-network', loss: 'inference',
              cost_augmented_network: {{feedforward: {FEEDFORWARD}}}}},
    metrics: ['example-f1', 'map-label'],
    decoder: 'threshold',
  }},
  trainer: {{type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.01}}}},
}}"""


def train(tmp_path, snippet, over=None, name="a"):
    return train_snippet(snippet, tmp_path / name, over)


def assert_same_weights(first, second, **tolerance):
    tolerance = tolerance or {"rtol": 0, "atol": 0}
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, second.state_dict()[name], msg=name, **tolerance)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"grad_norm": 0.1},
        {"grad_clipping": 0.01},
        {"num_gradient_accumulation_steps": 2},
        {"learning_rate_scheduler": {"type": "step", "step_size": 1, "gamma": 0.5}},
        {"learning_rate_scheduler": {"type": "reduce_on_plateau", "patience": 0}},
        {"moving_average": {"type": "exponential", "decay": 0.9}},
        {"no_grad": ["projection"]},
    ],
    ids=str,
)
def test_with_one_network_it_equals_the_plain_trainer_bit_for_bit(tmp_path, settings):
    minimax = train(tmp_path, CROSS_ENTROPY, {"trainer": settings}, "minimax")
    plain = train(
        tmp_path, CROSS_ENTROPY, {"trainer": {"type": "gradient_descent", **settings}}, "plain"
    )
    assert_same_weights(minimax, plain)
    metrics = [
        json.loads((tmp_path / name / "run" / "metrics.json").read_text())
        for name in ("minimax", "plain")
    ]
    keys = ["validation_loss", "best_validation_example_f1"]
    if (
        "num_gradient_accumulation_steps" not in settings
    ):  # AllenNLP averages over groups of batches
        keys.append("training_loss")
    for key in keys:
        assert metrics[0][key] == metrics[1][key]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_fused_optimizer_takes_the_steps_of_adamw(tmp_path, decay):
    runs = [
        train(tmp_path, CROSS_ENTROPY, {"trainer": {"optimizer": optimizer}}, optimizer["type"])
        for optimizer in (
            {"type": name, "lr": 0.01, "weight_decay": decay} for name in ("adamw", "fused-adamw")
        )
    ]
    assert_same_weights(*runs, rtol=1e-4, atol=1e-6)


class Recorder:
    """Record the optimisers that take a step, and whether their parameters change."""

    def __init__(self):
        self.steps = []
        self.before = []

    def __enter__(self):
        self.handles = [
            register_optimizer_step_pre_hook(self.on_start),
            register_optimizer_step_post_hook(self.on_end),
        ]
        return self

    def __exit__(self, *error):
        for handle in self.handles:
            handle.remove()

    @staticmethod
    def parameters(optimizer):
        return [p for group in optimizer.param_groups for p in group["params"]]

    def on_start(self, optimizer, args, kwargs):
        self.before = [p.detach().clone() for p in self.parameters(optimizer)]

    def on_end(self, optimizer, args, kwargs):
        if not isinstance(optimizer, JointOptimizer):
            after = self.parameters(optimizer)
            pairs = zip(after, self.before, strict=True)
            self.steps.append((len(after), any((p != b).any().item() for p, b in pairs)))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "st"),
        ({"steps": {"score_network": 2, "task_network": 1}}, "sst"),
        ({"order": ["task_network", "score_network"]}, "ts"),
        ({"steps": {"score_network": 1, "task_network": 2}, "rounds": 2}, "sttstt"),
        ({"steps": {"task_network": 1}}, "t"),
    ],
    ids=str,
)
def test_steps_order_and_rounds(tmp_path, settings, expected):
    over = {"trainer": {**settings, "num_epochs": 1}, "data_loader": {"shuffle": False}}
    with Recorder() as recorder:
        model = train(tmp_path, MINIMAX, over)
    size = {name: len(group) for name, group in model.networks.items()}
    assert size["score_network"] != size["task_network"]
    letter = {size["score_network"]: "s", size["task_network"]: "t"}
    assert "".join(letter[count] for count, _ in recorder.steps) == expected * 3
    assert all(changed for _, changed in recorder.steps)


def test_consecutive_steps_of_one_network_share_the_encoding_of_the_frozen_one(
    tmp_path, monkeypatch
):
    calls = []
    encode = TaskNetwork.encode

    def counted(self, *arguments):
        calls.append(self.training)
        return encode(self, *arguments)

    monkeypatch.setattr(TaskNetwork, "encode", counted)
    over = {
        "trainer": {"steps": {"score_network": 12, "task_network": 1}, "num_epochs": 1},
        "validation_data_loader": {"batch_size": 100},
    }
    train(tmp_path, MINIMAX, over)
    # On each of three batches: once, frozen, for the twelve steps, and once for its own step. Then
    # once for the validation data.
    assert calls == [False, True] * 3 + [False]


def test_a_network_without_steps_keeps_its_weights(tmp_path):
    model = train(tmp_path, MINIMAX, {"trainer": {"steps": {"task_network": 1}}}, "a")
    other = train(
        tmp_path, MINIMAX, {"trainer": {"steps": {"task_network": 1}, "num_epochs": 1}}, "b"
    )
    for (name, first), (_, second) in zip(
        model.networks["score_network"], other.networks["score_network"], strict=True
    ):
        torch.testing.assert_close(first, second, rtol=0, atol=0, msg=name)


def test_each_network_has_its_own_optimiser_and_clipping(tmp_path):
    frozen = train(
        tmp_path,
        MINIMAX,
        {"trainer": {"networks": {"score_network": {"optimizer": {"type": "sgd", "lr": 0.0}}}}},
    )
    untrained = train(tmp_path, MINIMAX, {"trainer": {"steps": {"task_network": 1}}}, "b")
    for (name, first), (_, second) in zip(
        frozen.networks["score_network"], untrained.networks["score_network"], strict=True
    ):
        torch.testing.assert_close(first, second, rtol=0, atol=0, msg=name)


PHASES = {
    "num_epochs": 5,
    "networks": {"score_network": {"stop_epoch": 2}, "task_network": {"start_epoch": 2}},
}


def test_a_network_is_trained_only_in_its_epochs(tmp_path):
    over = {"trainer": PHASES, "data_loader": {"shuffle": False}}
    with Recorder() as recorder:
        model = train(tmp_path, MINIMAX, over)
    scores, tasks = (len(model.networks[name]) for name in ("score_network", "task_network"))
    assert [count for count, _ in recorder.steps] == [scores] * 2 * 3 + [tasks] * 3 * 3


THREE_PHASES = {
    "num_epochs": 6,
    "networks": {
        "score_network": {"epochs": [[1, 3]]},
        "task_network": {"epochs": [[0, 1], [3, None]]},
    },
}


def test_a_network_is_trained_in_several_ranges_of_epochs(tmp_path):
    over = {"trainer": THREE_PHASES, "data_loader": {"shuffle": False}}
    with Recorder() as recorder:
        model = train(tmp_path, MINIMAX, over)
    scores, tasks = (len(model.networks[name]) for name in ("score_network", "task_network"))
    expected = [tasks] * 3 + [scores] * 2 * 3 + [tasks] * 3 * 3
    assert [count for count, _ in recorder.steps] == expected
    metrics = json.loads((tmp_path / "a" / "run" / "metrics.json").read_text())
    assert metrics["best_epoch"] >= 3


@pytest.mark.parametrize(
    ("ranges", "epochs", "last_phase"),
    [
        (({"epochs": [[0, 2]]}, {"epochs": [[2, 4], [6, None]]}, 8), None, None),
        (
            ({"epochs": [[2, 4]]}, {"epochs": [[0, 2], [4, None]]}, 8),
            [{2, 3}, {0, 1, *range(4, 8)}],
            4,
        ),
        (({}, {"epochs": [[1, 3], [5, 9]]}, 7), [set(range(7)), {1, 2, 5, 6}], 5),
        (({"stop_epoch": 3}, {"start_epoch": 3}, 5), [{0, 1, 2}, {3, 4}], 3),
        (({"start_epoch": 2}, {}, 5), [{2, 3, 4}, set(range(5))], 2),
        (({}, {}, 5), [set(range(5))] * 2, 0),
        (({"epochs": [[0, 2], [2, None]]}, {}, 5), [set(range(5))] * 2, 0),
    ],
)
def test_the_epochs_and_the_last_phase(ranges, epochs, last_phase):
    *settings, num_epochs = ranges
    networks = {name: NetworkSettings(**each) for name, each in zip("st", settings, strict=True)}
    if epochs is None:
        with pytest.raises(ConfigurationError, match="got none in epoch 4"):
            make_schedule(("s", "t"), networks, num_epochs)
        return
    schedule = make_schedule(("s", "t"), networks, num_epochs)
    assert [set(schedule.epochs[name]) for name in "st"] == epochs
    assert schedule.last_phase == last_phase


def test_a_scheduler_counts_only_the_steps_of_its_ranges(tmp_path):
    scheduler = {"type": "noam", "model_size": 1, "warmup_steps": 100, "factor": 1.0}
    networks = {
        name: {**settings, "learning_rate_scheduler": scheduler}
        for name, settings in THREE_PHASES["networks"].items()
    }
    over = {"trainer": {**THREE_PHASES, "networks": networks, "num_epochs": 4}}
    rates = []

    class Rates(JointScheduler):
        def step_batch(self, batch_num_total=None):
            super().step_batch(batch_num_total)
            if "task_network" in self.active:
                rates.append(self.schedulers["task_network"].get_values()[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint_optimizer, "JointScheduler", Rates)
        train(tmp_path, MINIMAX, over)
    # Noam's rate is proportional to the number of the step in the warm-up.
    assert rates == pytest.approx([rates[0] * step for step in range(1, 7)])


def test_the_best_epoch_is_one_of_the_last_phase(tmp_path):
    # The oracle cost is constant in the first phase and rises with every epoch of the last.
    over = {
        "trainer": {
            **PHASES,
            "num_epochs": 8,
            "patience": 2,
            "validation_metric": "-sampler.loss.oracle_cost",
            "optimizer": {"type": "sgd", "lr": 0.1},
        },
        "model": {"sampler": {"loss": {"type": "inference", "oracle_cost_weight": 1000}}},
    }
    train(tmp_path, MINIMAX.replace("dropout: 0.3", "dropout: 0"), over)
    metrics = json.loads((tmp_path / "a" / "run" / "metrics.json").read_text())
    first, last = (
        json.loads((tmp_path / "a" / "run" / f"metrics_epoch_{epoch}.json").read_text())
        for epoch in (1, 2)
    )
    cost = "validation_sampler.loss.oracle_cost"
    assert first[cost] < last[cost]
    assert metrics["best_epoch"] == 2 and metrics["epoch"] == 4


def test_a_scheduler_counts_the_steps_of_its_own_network(tmp_path):
    scheduler = {"type": "noam", "model_size": 1, "warmup_steps": 100, "factor": 1.0}
    networks = {
        name: {**settings, "learning_rate_scheduler": scheduler}
        for name, settings in PHASES["networks"].items()
    }
    rates = {}

    class Rates(JointScheduler):
        def step_batch(self, batch_num_total=None):
            super().step_batch(batch_num_total)
            for name in self.active:
                rates.setdefault(name, []).append(self.schedulers[name].get_values()[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint_optimizer, "JointScheduler", Rates)
        train(tmp_path, MINIMAX, {"trainer": {**PHASES, "networks": networks}})
    assert len(rates["score_network"]) == 6 and len(rates["task_network"]) == 9
    assert rates["task_network"][:6] == rates["score_network"]
    assert rates["score_network"] == sorted(set(rates["score_network"]))


def test_accumulated_gradients_are_those_of_a_large_batch(tmp_path):
    plain = MINIMAX.replace("dropout: 0.3", "dropout: 0").replace(
        "'adamw', lr: 0.01", "'sgd', lr: 1"
    )
    large = train(tmp_path, plain, {"data_loader": {"batch_size": 8, "shuffle": False}}, "large")
    small = train(
        tmp_path,
        plain,
        {
            "data_loader": {"batch_size": 4, "shuffle": False},
            "trainer": {"num_gradient_accumulation_steps": 2, "order": ["score_network"]},
        },
        "small",
    )
    large_score = train(
        tmp_path,
        plain,
        {
            "data_loader": {"batch_size": 8, "shuffle": False},
            "trainer": {"order": ["score_network"]},
        },
        "score",
    )
    assert_same_weights(small, large_score, rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError):
        assert_same_weights(small, large, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["'sgd', lr: 1", "'fused-adamw', lr: 0.01"])
def test_accumulated_gradients_are_clipped_as_those_of_a_large_batch(tmp_path, optimizer):
    plain = MINIMAX.replace("dropout: 0.3", "dropout: 0").replace("'adamw', lr: 0.01", optimizer)
    # A step of the task network does not change the accumulated gradient of the score network.
    over = {"num_epochs": 1, "grad_clipping": 0.002}
    networks = {"score_network": {"num_gradient_accumulation_steps": 2}}
    weights = []
    for size, trainer in ((8, over), (4, {**over, "networks": networks})):
        data = {"batch_size": size, "shuffle": False}
        still = {"task_network": {"optimizer": {"type": "sgd", "lr": 0.0}}}
        trainer = merged(trainer, {"networks": still})
        model = train(tmp_path, plain, {"data_loader": data, "trainer": trainer}, str(size))
        weights.append([weight for _, weight in model.networks["score_network"]])
    torch.testing.assert_close(*weights, rtol=1e-5, atol=1e-6)


def test_no_backward_pass_is_inside_autocast(tmp_path, monkeypatch):
    # The base class computes the outputs inside an autocast to float16.
    half = SimpleNamespace(autocast=lambda enabled: torch.autocast("cpu", torch.float16))
    monkeypatch.setattr(gradient_descent_trainer, "amp", half)
    backward, inside = torch.Tensor.backward, []

    def recorded(loss, *arguments, **options):
        inside.append(torch.is_autocast_enabled("cpu"))
        return backward(loss, *arguments, **options)

    monkeypatch.setattr(torch.Tensor, "backward", recorded)
    train(tmp_path, MINIMAX, {"trainer": {"num_epochs": 1}})
    assert inside == [False] * 6  # two steps on each of three batches


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": {"score_net": 1}}, "one of .*'task_network'.*'steps'.*got 'score_net'"),
        ({"order": ["tasknet"]}, "in 'order' .*got 'tasknet'"),
        ({"networks": {"both": {}}}, "keys? of 'networks' .*got 'both'.*score_network"),
        ({"steps": {"score_network": 0, "task_network": 0}}, "at least one step"),
        ({"rounds": 0}, "at least one step"),
        ({"no_grad": ["^score_network"]}, "weights of the score_network that are trained, got"),
        (
            {"networks": {n: {"stop_epoch": 2} for n in ("score_network", "task_network")}},
            "got none in epoch 2",
        ),
        (
            {"networks": {"task_network": {"epochs": [[0, 2], [1, 3]]}}},
            r"ranges of epochs .*in order.*got \[.0, 2., .1, 3.\]",
        ),
        ({"networks": {"task_network": {"epochs": [[0, None], [3, 4]]}}}, "ranges of epochs"),
        ({"networks": {"task_network": {"epochs": [[2, 2]]}}}, "ranges of epochs"),
        ({"networks": {"task_network": {"epochs": []}}}, "ranges of epochs"),
        (
            {"networks": {"task_network": {"start_epoch": 3, "stop_epoch": 2}}},
            r"start_epoch .*below stop_epoch, got \[\(3, 2\)\]",
        ),
        ({"networks": {"task_network": {"start_epoch": -1}}}, "a start_epoch from 0"),
        ({"networks": {"task_network": {"epochs": [0, 2]}}}, r"ranges of epochs .*got \[0, 2\]"),
        ({"networks": {"task_network": {"epochs": [[0, 2.5]]}}}, "ranges of epochs"),
        ({"networks": {"task_network": {"epochs": [[0, 1, 2]]}}}, "ranges of epochs"),
        (
            {"networks": {"task_network": {"epochs": [[0, 2]], "start_epoch": 1}}},
            "either 'epochs' or 'start_epoch'",
        ),
        (
            {"step": {}},
            "key of MinimaxTrainer at 'trainer' of the config, got 'step'; did you mean 'steps'",
        ),
        (
            {"networks": {"task_network": {"optimiser": {}}}},
            "trainer.networks.task_network.*optimiser",
        ),
    ],
    ids=str,
)
def test_bad_settings_are_named(tmp_path, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        train(tmp_path, MINIMAX, {"trainer": settings})


def test_nan_stops_training_names_its_source_and_keeps_the_best_weights(tmp_path):
    over = {
        "trainer": {
            "networks": {
                "score_network": {
                    "optimizer": {"type": "sgd", "lr": 0.01},
                    "learning_rate_scheduler": {"type": "step", "step_size": 1, "gamma": 1e15},
                }
            },
            "num_epochs": 10,
        }
    }
    config = write_config(tmp_path, MINIMAX, over)
    result = run_allennlp(config, tmp_path / "run")
    assert result.returncode != 0
    assert "The training loss became NaN in epoch" in result.stderr
    assert re.search(r"it arose first in '(sampler\.)?loss\.\w+_score'", result.stderr)
    best = torch.load(tmp_path / "run" / "best.th", weights_only=True)
    assert all(torch.isfinite(value).all() for value in best.values())


def write_config(tmp_path: Path, snippet: str, over=None) -> Path:
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(snippet))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(merged(config, over or {})))
    return path


def run_allennlp(config, folder, *flags):
    return allennlp("train", config, "-s", folder, *flags, cwd=config.parent)


def comparable(folder):
    """Return the final metrics without times and memory."""
    metrics = json.loads((folder / "metrics.json").read_text())
    return {
        key: value
        for key, value in metrics.items()
        if not key.endswith(("memory_MB", "training_duration"))
    }


def test_a_killed_run_recovers_bit_for_bit(tmp_path):
    # This test kills the command at no exact moment; test_kill_anywhere.py does at chosen moments,
    # in every mode.
    settings = {
        "patience": 3,
        "optimizer": {"type": "fused-adamw", "lr": 0.01},
        "networks": {
            "score_network": {"stop_epoch": 6, "grad_norm": 1.0},
            "task_network": {
                "start_epoch": 3,
                "learning_rate_scheduler": {"type": "cosine", "t_initial": 5},
            },
        },
    }
    over = {"trainer": {**settings, "num_epochs": 12}, "data_loader": {"batch_size": 5}}
    config = write_config(tmp_path, MINIMAX, over)
    assert run_allennlp(config, tmp_path / "whole").returncode == 0

    killed = tmp_path / "killed"
    process = begin(lambda: command(["train", str(config), "-s", str(killed)], tmp_path))
    deadline = time.monotonic() + 200
    while not list(killed.glob("training_state_e4_*")):
        assert os.waitpid(process, os.WNOHANG) == (0, 0), "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    assert wait(process) == -signal.SIGKILL
    assert not (killed / "metrics.json").exists()

    recovered = run_allennlp(config, killed, "--recover")
    assert recovered.returncode == 0, recovered.stderr[-2000:]
    assert comparable(killed) == comparable(tmp_path / "whole")
    first, second = (
        torch.load(folder / "best.th", weights_only=True) for folder in (killed, tmp_path / "whole")
    )
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize(
    "average", [{}, {"moving_average": {"type": "exponential", "decay": 0.9}}], ids=["", "average"]
)
def test_a_run_killed_before_it_saved_the_best_weights_recovers_them(tmp_path, average):
    over = {"trainer": {**average, "num_epochs": 1}}
    config, run = write_config(tmp_path, MINIMAX, over), tmp_path / "run"
    assert run_allennlp(config, run).returncode == 0
    before = comparable(run)
    weights = torch.load(run / "best.th", weights_only=True)
    for file in ("best.th", "metrics.json", "model.tar.gz"):
        (run / file).unlink()
    assert run_allennlp(config, run, "--recover").returncode == 0
    recovered = torch.load(run / "best.th", weights_only=True)
    for name, weight in weights.items():
        torch.testing.assert_close(recovered[name], weight, rtol=0, atol=0, msg=name)
    assert comparable(run) == before
