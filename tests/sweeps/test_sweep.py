"""Training over configs, methods and seeds, in processes that fail, are killed and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp
from sweeps.configs import LIBRARY, plain_config

from structured_energy.sweeps import ConfigFile, Job, Jobs, jobs_of
from structured_energy.sweeps.jobs import locked, missing

PACKAGE = ["--include-package", "structured_energy"]


def written(folder, name, **changes):
    config = plain_config(folder)
    config["trainer"].update(changes)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    return path


def library_config(path, method):
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "lib.libsonnet").write_text(LIBRARY)
    path.write_text(f"(import 'lib.libsonnet').{method}({{ lr: 1, b: 1, tuned: {{}} }})")
    return ConfigFile(path)


def names(jobs):
    return [job.name for job in jobs]


def test_the_folders_of_runs(tmp_path):
    own = ConfigFile(written(tmp_path, "own"))
    assert names(jobs_of([own], None, [0, 2, 2], tmp_path)) == ["own/seed_0", "own/seed_2"]
    mine = library_config(tmp_path / "a" / "mine.jsonnet", "slow")
    assert names(jobs_of([mine], None, [1], tmp_path)) == ["slow/seed_1"]
    assert names(jobs_of([mine], ["all"], [1], tmp_path)) == ["fast/seed_1", "slow/seed_1"]
    slow = library_config(tmp_path / "b" / "slow.jsonnet", "slow")
    jobs = jobs_of([mine, slow], ["fast"], [1], tmp_path / "out")
    assert names(jobs) == ["a/mine/fast/seed_1", "b/fast/seed_1"]
    assert jobs[1].folder == tmp_path / "out" / "b" / "fast" / "seed_1"
    assert jobs[1].config["trainer"]["optimizer"]["lr"] == 10 and jobs[1].config["numpy_seed"] == 1
    with pytest.raises(ConfigurationError, match="one call of the library"):
        jobs_of([own], ["fast"], [1], tmp_path)


def test_runs_of_two_configs_never_share_a_folder(tmp_path):
    fast, slow = (library_config(tmp_path / f"{name}.jsonnet", name) for name in ("fast", "slow"))
    assert names(jobs_of([fast, slow], ["all"], [1], tmp_path)) == ["fast/seed_1", "slow/seed_1"]
    text = slow.path.read_text()
    slow.path.write_text(f"{text} {{ top: 1 }}")
    with pytest.raises(ConfigurationError, match="fast.jsonnet and .*slow.jsonnet, both of which"):
        jobs_of([fast, ConfigFile(slow.path)], ["all"], [1], tmp_path)
    plain = [ConfigFile(written(tmp_path, "a")), tmp_path / "a.jsonnet"]
    plain[1].write_text(json.dumps({**json.loads(plain[0].path.read_text()), "numpy_seed": 0}))
    assert len(jobs_of([plain[0], ConfigFile(plain[1])], None, [1], tmp_path)) == 1  # the same
    plain[1].write_text(json.dumps({"train_data_path": "other", "trainer": {}}))
    with pytest.raises(ConfigurationError, match="both of which train a/seed_1"):
        jobs_of([plain[0], ConfigFile(plain[1])], None, [1], tmp_path)


def test_what_is_missing(tmp_path):
    jobs = [Job(str(n), {"n": n}, tmp_path / str(n)) for n in range(3)]
    for n in range(2):
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / "config.json").write_text(json.dumps({"n": n}))
    (tmp_path / "0" / "metrics.json").write_text("{}")
    assert missing(jobs, force=False) == jobs[1:]
    changed = [jobs[0]._replace(config={"n": 9})]
    with pytest.raises(ValueError, match="got one of another config.*--force"):
        missing(changed, force=False)
    assert missing(changed, force=True) == changed


def test_a_run_killed_while_its_config_was_written_is_missing(tmp_path):
    jobs = jobs_of([ConfigFile(written(tmp_path, "own"))], None, [0], tmp_path / "out")
    jobs[0].folder.mkdir(parents=True)
    (jobs[0].folder / "config.json").write_text(json.dumps(jobs[0].config)[:40])
    assert missing(jobs, False) == jobs


def test_one_command_at_a_time_trains_in_a_folder(tmp_path):
    at_work = pytest.raises(ValueError, match="no other command")
    with locked(tmp_path), at_work, locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_at_least_one_process():
    with pytest.raises(ValueError, match="--jobs of at least 1, got 0"):
        Jobs(0)


def test_runs_are_trained_side_by_side_and_one_that_fails_ends_nothing(tmp_path):
    good = written(tmp_path, "good", num_epochs=1)
    bad = written(tmp_path, "bad", num_epochs=1, optimizer={"type": "adamw", "lr": -1})
    flags = ["--seeds", 0, 1, "--out", "out", *PACKAGE]
    result = allennlp("sweep", good, bad, "--jobs", 2, *flags, cwd=tmp_path)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "4 of 4 runs to train, in out"
    for seed in (0, 1):
        (line,) = (line for line in lines if f" bad/seed_{seed}: failed after" in line)
        assert "Invalid learning rate: -1" in line and "The log is" in line
        (line,) = (line for line in lines if f" good/seed_{seed}: " in line)
        assert "validation example_f1 0." in line and "test example_f1 0." in line
    table = result.stdout[result.stdout.index("example_f1, %") :]
    assert "(2)" in table and "bad" not in table
    metrics = tmp_path / "out" / "good" / "seed_0" / "metrics.json"
    before = metrics.stat().st_mtime_ns
    result = allennlp("sweep", good, *flags[:3], "--out", "out/good", *PACKAGE, cwd=tmp_path)
    assert "2 of 2 runs to train" in result.stdout  # another folder is another sweep
    again = allennlp("sweep", good, bad, *flags, "--format", "markdown", cwd=tmp_path)
    assert "2 of 4 runs to train" in again.stdout and metrics.stat().st_mtime_ns == before
    assert "| good |" in again.stdout


def children_of(pid):
    tree = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        tree.setdefault(parent, []).append(int(stat.parent.name))
    left, found = [pid], []
    while left:
        below = tree.get(left.pop(), [])
        left += below
        found += below
    return found


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_sweep_that_is_killed_takes_its_runs_along_and_is_resumed(tmp_path):
    path = written(tmp_path, "long", num_epochs=2000)
    (tmp_path / ".allennlp_plugins").write_text("structured_energy\n")
    command = [sys.executable, "-m", "allennlp", "sweep", path, "--seeds", "0", "--out", "out"]
    process = subprocess.Popen(
        [*map(str, command)], cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    run = tmp_path / "out" / "long" / "seed_0"
    try:
        wait_until(lambda: (run / "metrics_epoch_2.json").exists() or process.poll() is not None)
        assert process.poll() is None
        trainings = children_of(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(lambda: all(gone(pid) for pid in trainings), 30)
    assert trainings and not (run / "metrics.json").exists()
    first = (run / "metrics_epoch_0.json").stat().st_mtime_ns
    config = json.loads(path.read_text())
    config["trainer"]["num_epochs"] = len(list(run.glob("metrics_epoch_*"))) + 2
    path.write_text(json.dumps(config))
    result = allennlp("sweep", path, "--seeds", 0, "--out", "out", *PACKAGE, cwd=tmp_path)
    assert result.returncode == 1 and "got one of another config" in result.stderr
    recorded = json.loads((run / "config.json").read_text())
    recorded["trainer"]["num_epochs"] = config["trainer"]["num_epochs"]
    (run / "config.json").write_text(json.dumps(recorded))
    result = allennlp("sweep", path, "--seeds", 0, "--out", "out", *PACKAGE, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "1/1 long/seed_0: validation" in result.stdout
    assert (run / "metrics_epoch_0.json").stat().st_mtime_ns == first
