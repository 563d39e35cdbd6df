"""Errors of a user: one sentence with the place and the value. Errors of the code keep theirs."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp

from structured_energy.compatibility import sentence
from structured_energy.data import ArffReader
from structured_energy.losses import Loss
from structured_energy.taxonomy import Taxonomy
from structured_energy.testing import (
    data_config,
    evaluate_jsonnet,
    make_test_problem,
    merged,
    train_snippet,
)

MODEL = """{
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
    metrics: ['example-f1'],
  },
  trainer: {type: 'minimax', num_epochs: 1},
}"""


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"trainer": {"num_epochs": "ten"}}, "an integer for 'trainer.num_epochs' .* got \"ten\""),
        ({"trainer": {"num_epochs": 1.5}}, "an integer for 'trainer.num_epochs' .* got 1.5"),
        ({"trainer": {"use_amp": "no"}}, "true or false for 'trainer.use_amp' .* got \"no\""),
        ({"trainer": {"steps": 3}}, "a dictionary for 'trainer.steps' .* got 3"),
        ({"trainer": {"steps": {"task_network": []}}}, r"'trainer.steps.task_network' .* got \[\]"),
        ({"trainer": {"validation_metric": 5}}, "a string or a list for 'trainer.validation_metr"),
        ({"trainer": {"optimizer": "adamm"}}, "'type' at 'trainer.optimizer' .*mean 'adam'?"),
        ({"trainer": {"optimizer": {"type": 3}}}, "'type' at 'trainer.optimizer' .* got 3"),
        ({"trainer": 7}, "the name of a component, for 'trainer' of the config, got 7"),
        ({"model": {"metrics": "example-f1"}}, "a list for 'model.metrics' .* got \"example-f1\""),
        ({"model": {"metrics": ["exampel-f1"]}}, "'type' at 'model.metrics.0' .*'example-f1'?"),
        ({"model": {"sampler": {"loss": "crossentropy"}}}, "'type' at 'model.sampler.loss'"),
        ({"model": {"loss": {"type": "combination"}}}, "key '.*' of .* at 'model.loss' .*got none"),
        (
            {"trainer": {"optimizer": {"type": "adam", "lr": -1}}},
            "at 'trainer.optimizer' .*Invalid",
        ),
        (
            {"trainer": {"networks": {"task_network": {"optimizer": {"type": "sgd", "lr": -1}}}}},
            "in their range at 'trainer.networks.task_network.optimizer' .*: Invalid learning rate",
        ),
        (
            {"model": {"task_network": {"encoder": {"feedforward": {"dropout": 1.5}}}}},
            "at 'model.task_network.encoder.feedforward' .*: dropout probability .* 1.5",
        ),
        ({"trainer": {"num_epochs": 0}}, "num_epochs of the trainer 'minimax' .* got 0"),
        ({"trainer": {"grad_norm": -1}}, "grad_norm of the trainer .* above 0, got -1"),
        ({"trainer": {"grad_clipping": 0}}, "grad_clipping of the trainer .* above 0, got 0"),
        (
            {"trainer": {"networks": {"task_network": {"num_gradient_accumulation_steps": 0}}}},
            "num_gradient_accumulation_steps of the trainer .* above 0, got 0",
        ),
        (
            {"model": {"decoder": {"type": "relative", "proportion": "x"}}},
            "'model.decoder.proportion'",
        ),
    ],
    ids=str,
)
def test_a_bad_value_is_reported_with_its_place(tmp_path, over, message):
    with pytest.raises(ConfigurationError, match=message) as error:
        train_snippet(MODEL, tmp_path, over)
    assert sentence(error.value) == " ".join(str(error.value).split())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ('{"trainer.num_epochs: 3}', "dictionary in Jsonnet, .*: 3}': STATIC ERROR: 1:2: unterm"),
        ("[1]", r"dictionary in Jsonnet, .* got '\[1\]'"),
        ('{"trainr.num_epochs": 3}', "keys of the config, .* got 'trainr.num_epochs'; .*'trainer'"),
        ('{"model.sampler.los.type": 3}', "keys of 'model.sampler', .*'model.sampler.los.type'"),
        ('{"model.type.x": 3}', r"'model.type' of the config to have keys, .*\['model.type.x'\]"),
    ],
)
def test_bad_overrides_are_reported_with_the_text_and_the_key(tmp_path, overrides, message):
    (tmp_path / "config.json").write_text(json.dumps(evaluate_jsonnet(MODEL)))
    with pytest.raises(ConfigurationError, match=message):
        Params.from_file(tmp_path / "config.json", overrides)
    good = Params.from_file(tmp_path / "config.json", '{"model.metrics.0": "iou", "new": 1}')
    assert good["model"]["metrics"] == ["iou"] and good["new"] == 1


@pytest.mark.parametrize(
    ("text", "message"), [("{", "bad.jsonnet:2:1"), ("{a: error 'no'}", "no"), ("[1]", "got")]
)
def test_a_bad_config_file_is_named(tmp_path, text, message):
    (tmp_path / "bad.jsonnet").write_text(f"{text}\n")
    with pytest.raises(ConfigurationError, match="bad.jsonnet, got .*") as error:
        Params.from_file(tmp_path / "bad.jsonnet")
    assert message in str(error.value)


@Loss.register("forgets-super")
class ForgetsSuper(Loss):
    def __init__(self) -> None:
        self.weight = 1.0

    def compute(self, x, truth, sample, mask):
        return truth


class ForgetsModule(torch.nn.Module):
    def __init__(self):
        self.layer = torch.nn.Linear(1, 1)


class HasABug(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = self.typo


@pytest.mark.parametrize("kind", [ForgetsModule, HasABug])
def test_a_constructor_without_super_is_named_and_a_bug_is_not(kind):
    with pytest.raises(AttributeError) as error:
        kind()
    message = sentence(error.value)
    if kind is HasABug:
        assert message is None
    else:
        assert f"the constructor of {__name__}.ForgetsModule to call super().__init__" in message


def test_a_component_without_super_is_named(tmp_path):
    with pytest.raises(AttributeError) as error:
        train_snippet(MODEL, tmp_path, {"model": {"sampler": {"loss": "forgets-super"}}})
    assert "ForgetsSuper to call super().__init__(...) first, got none" in sentence(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="a GPU but none is available"):
        train_snippet(MODEL, tmp_path, {"trainer": {"cuda_device": 0}})


def test_errors_that_say_what_was_expected_are_a_user_s_and_others_are_not(tmp_path):
    (tmp_path / "a.arff").write_text("@relation a\n@data\n")
    with pytest.raises(ValueError) as error:
        list(ArffReader().read(str(tmp_path / "a.arff")))
    assert "a.arff" in sentence(error.value)
    with pytest.raises(OSError) as missing:
        (tmp_path / "none").read_text()
    assert sentence(missing.value) == f"{tmp_path / 'none'}: No such file or directory."
    with pytest.raises(ValueError) as taxonomy:
        Taxonomy.from_edges([("a", "b"), ("b", "a")])
    assert "without cycles, got 'a → b → a'" in sentence(taxonomy.value)
    problem = make_test_problem()
    loss = problem.build(Loss, "'nce-ranking'")
    with pytest.raises(ValueError) as unfit:
        loss(problem.x, problem.truth, problem.sample()._replace(log_prob=None))
    assert "use 'network-draws'" in sentence(unfit.value)
    with pytest.raises(ValueError) as ours:
        int("x")
    assert sentence(ours.value) is None
    with pytest.raises(ValueError) as bug:  # one of Python, in a line of this package
        Taxonomy.from_edges([("a", "b", "c")])
    assert sentence(bug.value) is None
    assert sentence(KeyError("x")) is None


CRASH = """
import sys
from allennlp.training import TrainerCallback

@TrainerCallback.register("crash")
class Crash(TrainerCallback):
    def on_epoch(self, trainer, **settings):
        raise ValueError("a bug")
"""


@pytest.mark.parametrize(
    ("over", "debug", "last"),
    [
        ({"trainer.patience": -1}, "", "Error: -1 is an invalid value for"),
        ({"trainer.patience": -1}, "1", "allennlp.common.checks.ConfigurationError:"),
        ({"trainer.callbacks": ["crash"]}, "", "ValueError: a bug"),
        ({"distributed": {"cuda_devices": [-1, -1]}, "trainer.patience": -1}, "", "Err"),
    ],
    ids=["sentence", "debug", "bug", "workers"],
)
def test_a_command_ends_in_one_sentence(tmp_path, over, debug, last):
    config = merged(data_config(tmp_path / "data"), evaluate_jsonnet(MODEL))
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "crash.py").write_text(CRASH)
    command = ["train", "config.json", "-s", "run", "-o", json.dumps(over)]
    command += ["--include-package", "structured_energy", "--include-package", "crash"]
    if last.startswith("Error"):  # a process that has not imported this package
        start = [sys.executable, "-m", "allennlp", *command]
        result = subprocess.run(start, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    else:
        result = allennlp(*command, cwd=tmp_path, environment={"ALLENNLP_DEBUG": debug})
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith(last)
    assert ("Traceback" in result.stderr) == (not last.startswith("Err"))
    assert "Traceback" in (tmp_path / "run" / "out.log").read_text()


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        ("SIGINT", -signal.SIGINT, "Error: Stopped by Ctrl-C."),
        ("SIGTERM", 1, "Error: Stopped by the signal SIGTERM."),
    ],
)
def test_an_interrupt_is_said_in_one_sentence(number, status, message):
    program = (
        "import os, signal\n"
        "from allennlp.common.util import install_sigterm_handler\n"
        "from structured_energy.compatibility.errors import say_errors_in_one_sentence as say\n"
        "say(); install_sigterm_handler()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"os.kill(os.getpid(), signal.{number})"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stderr.strip() == message
    assert done.returncode == status


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_output_that_nobody_reads_any_more_is_no_error(size, tmp_path):
    program = (
        "from structured_energy.compatibility.errors import say_errors_in_one_sentence as say\n"
        f"say(); print('x' * {size})\nimport sys; sys.stdout.write('y')"
    )
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", program]
    settings = {"stderr": subprocess.PIPE, "text": True, "timeout": 120}
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    done = subprocess.run(command, stdout=writer, env=buffered, **settings)
    os.close(writer)
    assert done.stderr == ""
