"""What SLURM and torchrun say, as AllenNLP's command; training by it is in
tests/training/test_nodes.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLURM = {
    "SLURM_JOB_NODELIST": "gpu[07-09]",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_NODEID": "2",
    "SLURM_NTASKS": "3",
    "SLURM_JOB_ID": "4100007",
}


@pytest.fixture()
def started(tmp_path):
    """Starts the script where `scontrol` is a small program, and the command is shown."""
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\n[ "$1 $2" = "show hostnames" ] && printf "gpu07\\ngpu08\\n"\n')
    scontrol.chmod(0o755)
    (tmp_path / "allennlp").mkdir()
    (tmp_path / "allennlp" / "__init__.py").touch()
    (tmp_path / "allennlp" / "__main__.py").write_text(
        "import json, os, sys\n"
        "left = [name for name in os.environ if name.startswith('TORCHELASTIC')]\n"
        "print(json.dumps([sys.argv[1:], left]))"
    )

    def start(environment, *arguments):
        return subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "train_on_nodes.py"), *arguments],
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "PYTHONPATH": str(tmp_path),
                **environment,
            },
            capture_output=True,
            text=True,
        )

    return start


def test_a_job_of_slurm(started, tmp_path):
    overrides = "{trainer: {num_epochs: 2 + 1}}"
    arguments = ("config.jsonnet", "-s", str(tmp_path / "run"), "-o", overrides, "--devices")
    done = started(SLURM, *arguments, "0", "1")
    assert done.returncode == 0, done.stderr
    command, _ = json.loads(done.stdout)
    assert command[:6] == ["train", "config.jsonnet", "-s", arguments[2], "--node-rank", "2"]
    assert json.loads(command[7]) == {
        "trainer": {"num_epochs": 3},
        "distributed": {
            "cuda_devices": [0, 1],
            "num_nodes": 3,
            "primary_address": "gpu07",
            "primary_port": 20_007,
        },
    }
    assert command[8:] == []


def test_a_job_that_is_started_again_goes_on(started, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    done = started(SLURM, "config.jsonnet", "-s", str(tmp_path))
    assert json.loads(done.stdout)[0][-1] == "--recover"


def test_torchrun_keeps_its_port(started):
    environment = {
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "GROUP_RANK": "1",
        "GROUP_WORLD_SIZE": "2",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "gpu07",
        "MASTER_PORT": "29500",
    }
    done = started(environment, "config.jsonnet", "-s", "run", "--devices", "-1")
    command, left = json.loads(done.stdout)
    distributed = json.loads(command[7])["distributed"]
    assert distributed["primary_port"] == 29501 and distributed["primary_address"] == "gpu07"
    assert distributed["cuda_devices"] == [-1] and left == []


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "Expected to be started by torchrun, or by srun"),
        ({**SLURM, "SLURM_NTASKS": "12"}, "Expected one process on each of 3 nodes, got 12"),
    ],
    ids=["no launcher", "a task for each GPU"],
)
def test_other_launches_are_refused(started, environment, message):
    done = started(environment, "config.jsonnet", "-s", "run")
    assert done.returncode == 2 and message in done.stderr


def test_the_job_is_one_that_bash_can_read():
    assert subprocess.run(["bash", "-n", str(ROOT / "scripts" / "slurm.sh")]).returncode == 0
