"""Two nodes, each a launcher and a process on this machine, compared with one node."""

import functools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import killing
import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import find_open_port

from structured_energy.testing import data_config, evaluate_jsonnet, merged

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "train_on_nodes.py"
OVER = {
    "model": {"metrics": ["example-f1", "map-label"]},
    "trainer": {"checkpointer": {"save_every_num_batches": 1}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def config(folder):
    config = merged(data_config(folder / "data"), evaluate_jsonnet(killing.MODEL))
    config = merged(config, OVER)
    return {**config, "test_data_path": config["validation_data_path"]}


@pytest.fixture(scope="module")
def expected(folder, config):
    """The outcome of two processes on one node."""
    given = json.dumps({**config, "distributed": {"cuda_devices": [-1, -1]}})
    assert killing.train(given, folder / "one")
    return killing.outcome(folder / "one")


def nodes(config, run, recover=False, kill_at=None):
    """Train on two nodes; return the status and the output of each."""
    distributed = {"cuda_devices": [-1], "num_nodes": 2, "primary_port": find_open_port()}
    run.parent.mkdir(exist_ok=True)

    def work(rank):
        if kill_at is not None:
            killing.Clock(kill_at, run.with_name("moments")).install()
        params = Params(json.loads(json.dumps({**config, "distributed": distributed})))
        train_model(params, str(run), recover=recover, node_rank=rank)

    begun = [
        killing.begun(functools.partial(work, rank), run.with_name(f"node_{rank}"))
        for rank in range(2)
    ]
    return [killing.ended(process, timeout=100) for process in begun]


def same(found, expected):
    for name, value in expected.items():
        assert found[name] == value, name


def test_two_nodes_equal_two_processes_of_one_node(folder, config, expected):
    run = folder / "two" / "run"
    assert [status for status, _ in nodes(config, run)] == [0, 0]
    check_two(run, expected)


@pytest.mark.skipif("KILLS" not in os.environ, reason="slow, in `make kill`")
def test_two_nodes_of_torchrun_equal_two_processes_of_one_node(folder, config, expected):
    path, run, port = folder / "config.json", folder / "torchrun" / "run", find_open_port()
    path.write_text(json.dumps(config))
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
    command += ["--master-addr=127.0.0.1", f"--master-port={port}"]
    run.parent.mkdir()
    launched = [
        subprocess.Popen(
            [*command, f"--node-rank={rank}", str(SCRIPT), str(path), "-s", str(run)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda process: process.communicate(timeout=300)[0], launched))
    for process, text in zip(launched, said, strict=True):
        assert process.returncode == 0, text[-3000:]
    check_two(run, expected)


def check_two(run, expected):
    """Check the folder of the first node, and that of the second beside it."""
    found = killing.outcome(run)
    for name in ("weights", "metrics", "csv", "archived", "members", "last"):
        assert found[name] == expected[name], name
    logs = {"out.log", "out_worker0.log"}
    assert set(found["files"]) ^ set(expected["files"]) <= {*logs, "out_worker1.log"}
    further = {each.name for each in run.with_name("run.node_1").iterdir()}
    assert logs <= further and not any(name.endswith((".th", ".tar.gz")) for name in further)
    first, second = (
        (folder / "out_worker0.log").read_text() for folder in (run, run.with_name("run.node_1"))
    )
    assert "Beginning training" in first and "Beginning training" in second
    assert "Metrics: {" in first and "Metrics: {" not in second


@pytest.mark.parametrize("moment", [45, 90])
def test_a_dying_node_ends_the_run_which_resumes_at_another_port(folder, config, expected, moment):
    run = folder / f"killed_at_{moment}" / "run"
    statuses = nodes(config, run, kill_at=moment)
    assert all(status != 0 for status, _ in statuses)
    assert not (run / "metrics.json").exists() and list(run.glob("training_state_*"))
    again = nodes(config, run, recover=True)  # at another port
    assert [status for status, _ in again] == [0, 0], again
    found = killing.outcome(run)
    for name in ("weights", "metrics", "csv", "archived"):
        assert found[name] == expected[name], name


def test_a_node_beyond_those_of_the_config_is_refused(tmp_path, config):
    given = {**config, "distributed": {"cuda_devices": [-1, -1], "num_nodes": 2}}
    with pytest.raises(ConfigurationError, match="--node-rank below the num_nodes .* 2 and 2"):
        train_model(Params(given), str(tmp_path / "run"), node_rank=2)
