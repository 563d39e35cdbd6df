"""Trainings in processes of their own that are killed at a chosen moment.

A process is forked from this one, so that it begins at once, and kills itself (SIGKILL) when the
count of what it has done comes to a number: a batch, a step of an optimiser, half a file that is
written, a file that gets its name, a member of an archive.
"""

import io
import json
import multiprocessing
import os
import re
import signal
import tarfile
import time
import traceback
from pathlib import Path

import allennlp.commands.train as train_command
import allennlp.common.util as common_util
import torch
import torch.multiprocessing as mp
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.util import is_distributed
from allennlp.training import GradientDescentTrainer

from structured_energy.callbacks import TreeToCsvCallback

FEEDFORWARD = "{num_layers: 1, hidden_dims: 6, activations: 'softplus', dropout: 0.2}"
# A small model of two networks, which draws random numbers by its dropout.
MODEL = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    task_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'margin-based',
    sampler: {{type: 'inference-network', loss: 'inference'}},
    metrics: ['example-f1'],
    decoder: 'threshold',
  }},
  data_loader: {{batch_size: 10}},
  evaluate_on_test: true,
  trainer: {{
    type: 'minimax', num_epochs: 4, optimizer: {{type: 'adamw', lr: 0.05}},
    validation_metric: '+example_f1', callbacks: ['tree-to-csv'],
  }},
}}"""


def fork_workers():
    """The workers of AllenNLP's command begin at once, and not by importing everything anew."""

    def spawn(function, args=(), nprocs=1, join=True, daemon=False):
        return mp.start_processes(function, args, nprocs, join, daemon, start_method="fork")

    train_command.mp.spawn = spawn


OF_THE_MACHINE = ("memory_MB", "duration")


class Clock:
    """Counts moments, of the first worker, and kills the process at one of them: that of a number,
    or where moments of the kinds of a list have come one after the other."""

    def __init__(self, end, path):
        self.end = end
        self.path = path
        # The workers of a run, and the process that began them, count together.
        self.count = multiprocessing.Value("q", 0, lock=False)

    def tick(self, what):
        if is_distributed() and torch.distributed.get_rank():
            return
        if isinstance(self.end, list) and what == self.end[0]:
            self.end = self.end[1:]
        if self.end == [] or self.count.value == self.end:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count.value += 1
        if self.end is None:
            with self.path.open("a") as file:
                file.write(f"{what}\n")

    def around(self, owner, name, what):
        original = getattr(owner, name)

        def ticking(*arguments, **settings):
            self.tick(f"before {what}")
            result = original(*arguments, **settings)
            self.tick(f"after {what}")
            return result

        setattr(owner, name, ticking)

    def half_written(self, owner, name, what):
        """Replaces a function that writes `path`, its second argument or its first."""
        original = getattr(owner, name)

        def ticking(first, second, *arguments, **settings):
            if isinstance(second, io.IOBase):
                return original(first, second, *arguments, **settings)
            self.tick(f"before {what}")
            result = original(first, second, *arguments, **settings)
            path = Path(second if isinstance(second, (str, Path)) else first)
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
            self.tick(f"in {what}")
            path.write_bytes(whole)
            self.tick(f"after {what}")
            return result

        setattr(owner, name, ticking)

    def install(self):
        self.around(GradientDescentTrainer, "batch_outputs", "batch")
        self.around(GradientDescentTrainer, "_validation_loss", "validation")
        self.around(torch.optim.Optimizer, "zero_grad", "step")
        self.half_written(torch, "save", "saving")
        self.half_written(common_util, "dump_metrics", "metrics")
        self.around(os, "replace", "naming")
        self.around(os, "remove", "removing")
        self.around(tarfile.TarFile, "add", "archiving")
        self.around(TreeToCsvCallback, "write", "row")


def forked(work, folder, timeout=300):
    """Does the work in a process; gives its status, and what it said."""
    return ended(begun(work, folder), timeout)


def begun(work, folder):
    """Begins the work in a process; gives it, and where it says something."""
    said = folder.with_name(f"{folder.name}.said")
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        status = 1
        try:
            torch.set_num_threads(1)  # the others of OpenMP have not been forked
            with said.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                fork_workers()
                work()
                status = 0
        except BaseException:
            with said.open("a") as file:
                traceback.print_exc(file=file)
        finally:
            os._exit(status)
    return child, said


def ended(process, timeout=300):
    """Waits for a process; gives its status, and what it said."""
    child, said = process
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status, said.read_text()
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError(f"It hangs.\n{said.read_text()[-3000:]}")


def train(config, folder, kill_at=None):
    """Trains in a process, or goes on where the folder is there; gives whether it ended by itself,
    and its moments."""

    def work():
        Clock(kill_at, folder.with_name(f"{folder.name}.moments")).install()
        # A folder without a config is that of a run that has not begun.
        recover = (folder / "config.json").exists()
        train_model(Params(json.loads(config)), str(folder), recover=recover, force=not recover)

    status, said = forked(work, folder)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if "terminated with signal SIGKILL" in said:  # a worker
        return False
    assert status == 0, said[-3000:]
    return True


def moments_of(folder):
    """What a process that was not to be killed has done."""
    return folder.with_name(f"{folder.name}.moments").read_text().splitlines()


def outcome(folder):
    """All that a run leaves, but what measures the machine."""
    with tarfile.open(folder / "model.tar.gz") as archive:
        archived = torch.load(io.BytesIO(archive.extractfile("weights.th").read()))
        members = sorted(archive.getnames())
    tables = {
        path.name: {
            key: value
            for key, value in json.loads(path.read_text()).items()
            if not key.endswith(OF_THE_MACHINE)
        }
        for path in folder.glob("metrics*.json")
    }
    csv = folder / "tree.csv"
    return {
        # A run that was killed before it removed an older checkpoint may still have it.
        "files": sorted(
            path.name for path in folder.iterdir() if not re.match(r"\w+_state_e\d", path.name)
        ),
        "last": max(path.name for path in folder.glob("training_state_*.th")),
        "members": members,
        "metrics": tables,
        "weights": {name: value.tolist() for name, value in torch.load(folder / "best.th").items()},
        "archived": {name: value.tolist() for name, value in archived.items()},
        "csv": csv.read_text() if csv.exists() else None,
    }
