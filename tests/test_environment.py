"""What is written of where a run was made."""

import subprocess

import torch

from structured_energy import environment


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_and_changes_of_the_working_folder(tmp_path):
    assert environment.git_state(tmp_path) is None
    git(tmp_path, "init")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path, capture_output=True, text=True
    ).stdout.strip()
    assert environment.git_state(tmp_path) == {"commit": head, "changed": False}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "untracked").write_text("")
    assert not environment.git_state(tmp_path)["changed"]
    (tmp_path / "file").write_text("b")
    assert environment.git_state(tmp_path)["changed"]


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.git_state(tmp_path) is None


def test_each_start_is_added(tmp_path):
    assert environment.read_environment(tmp_path) == []
    for _ in range(2):
        environment.record_environment(tmp_path, torch.device("cpu"))
    first, second = environment.read_environment(tmp_path)
    assert first["device"] == "cpu" and first["packages"]["torch"] == torch.__version__
    assert first["started"] <= second["started"]
    assert [path.name for path in tmp_path.iterdir()] == [environment.FILE]


def test_a_package_that_is_not_there_has_no_version(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("no-such-package",))
    found = environment.environment_of(torch.device("cpu"))
    assert found["packages"] == {"no-such-package": None}
