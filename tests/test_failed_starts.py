"""A run that failed before an epoch ended does not block its folder; any other run is kept."""

import json
import time

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp, begin, wait
from sweeps.configs import plain_config

from structured_energy.compatibility.failed_starts import claim
from structured_energy.compatibility.recovery import create_serialization_dir

START = (
    "config.json",
    "meta.json",
    "out.log",
    "err.log",
    "out_worker0.log",
    "log/train/x.tfevents",
)


@pytest.fixture()
def start(tmp_path):
    """Makes the folder of a failed start, with more files."""

    def make(*more):
        folder = tmp_path / "run"
        for name in (*START, "vocabulary/labels.txt", "vocabulary/.lock", "data/x.npz", *more):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("{}")
        return folder

    return make


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_corrected_command_trains_in_the_folder_of_the_failed_one(tmp_path):
    config = plain_config(tmp_path)
    (tmp_path / "mine.json").write_text(json.dumps({**config, "train_data_path": "no-data"}))
    command = ["train", "mine.json", "-s", "run", "--include-package", "structured_energy"]
    failed = allennlp(*command, cwd=tmp_path)
    assert failed.returncode == 1 and (tmp_path / "run" / "config.json").exists()
    (tmp_path / "mine.json").write_text(json.dumps(config))
    result = allennlp(*command, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "no-data" not in (tmp_path / "run" / "out.log").read_text()
    again = allennlp(*command, cwd=tmp_path)
    assert again.returncode == 1 and "Traceback" not in again.stderr
    assert all(flag in again.stderr for flag in ("--recover", "--force", "-s"))
    assert (tmp_path / "run" / "model.tar.gz").exists()


def test_the_files_of_a_failed_start_are_replaced_except_for_its_data(start):
    folder = start()
    create_serialization_dir(Params({}), folder, False, False)
    assert files_of(folder) == ["data/x.npz"]


@pytest.mark.parametrize(
    "name",
    [
        "metrics_epoch_0.json",
        "model_state_e0_b0.th",
        "training_state_e0_b0.th",
        "best.th",
        "notes.txt",
        "vocabulary/mine.py",
        "log/notes",
        "wandb/x",
        "out.log.old",
    ],
)
def test_an_epoch_a_checkpoint_and_unknown_files_are_kept(name, start):
    folder = start(name)
    before = files_of(folder)
    with pytest.raises(ConfigurationError, match="not empty; .*--recover.*--force.*-s"):
        create_serialization_dir(Params({}), folder, False, False)
    assert files_of(folder) == before


def test_a_folder_without_a_run_a_link_and_a_vocabulary_of_the_config_are_kept(start, tmp_path):
    folder = start()
    reads = Params({"vocabulary": {"type": "from_files", "directory": f"{folder}/vocabulary"}})
    with pytest.raises(ConfigurationError, match="--force"):
        create_serialization_dir(reads, folder, False, False)
    (folder / "err.log").rename(tmp_path / "elsewhere")
    (folder / "err.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="--force"):
        create_serialization_dir(Params({}), folder, False, False)
    (folder / "err.log").unlink()
    (folder / "meta.json").unlink()
    with pytest.raises(ConfigurationError, match="--force"):
        create_serialization_dir(Params({}), folder, False, False)
    assert (folder / "config.json").exists() and (folder / "vocabulary" / "labels.txt").exists()


def test_a_run_in_its_first_epoch_is_kept(start, tmp_path):
    folder = start()

    def train():
        claim(folder)
        (tmp_path / "claimed").touch()
        time.sleep(3)

    child = begin(train)
    while not (tmp_path / "claimed").exists():
        time.sleep(0.01)
    with pytest.raises(ConfigurationError, match="--force"):
        create_serialization_dir(Params({}), folder, False, False)
    assert "out.log" in files_of(folder)
    wait(child)
    create_serialization_dir(Params({}), folder, False, False)
    assert files_of(folder) == ["data/x.npz"]
