"""Configs import the library from any folder; an import that fails names the file and the line."""

import json
import os
import subprocess
import sys

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from structured_energy.configs import LIBRARY, config_of, evaluate_snippet, library_files

CONFIG = """local data_sets = import 'structured_energy/data_sets.libsonnet';
local se = import 'structured_energy/multi_label.libsonnet';

se.seal_dynamic_nce(data_sets.digits)
"""


def test_a_config_in_any_folder_imports_the_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.jsonnet").write_text(CONFIG)
    for path in ("config.jsonnet", tmp_path / "config.jsonnet"):
        config = Params.from_file(path, '{"trainer.num_epochs": 3}').as_dict(quiet=True)
        assert config["dataset_reader"] == {"type": "digits-completion"}
        assert config["trainer"]["num_epochs"] == 3


def test_the_file_beside_the_config_wins(tmp_path):
    (tmp_path / "structured_energy").mkdir()
    (tmp_path / "structured_energy" / "methods.libsonnet").write_text("{ beside: true }")
    (tmp_path / "config.jsonnet").write_text("import 'structured_energy/methods.libsonnet'")
    assert Params.from_file(tmp_path / "config.jsonnet").as_dict(quiet=True) == {"beside": True}


def test_environment_variables_and_overrides_reach_the_config(tmp_path, monkeypatch):
    monkeypatch.setenv("OWN_EPOCHS", "7")
    (tmp_path / "config.jsonnet").write_text("{ epochs: std.extVar('OWN_EPOCHS'), space: 1 }")
    space = "(import 'structured_energy/search_spaces.libsonnet').seal_ranking.patterns"
    params = Params.from_file(tmp_path / "config.jsonnet", f"{{ space: {space} }}")
    assert params.as_dict(quiet=True) == {"epochs": "7", "space": {"choices": [16, 64]}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "local a = 1;\nimport 'structured_energy/method.libsonnet'",
            ["config.jsonnet, line 2: ", "did you mean 'structured_energy/methods.libsonnet'?"],
        ),
        (
            "local se = import 'structured_energy/multi_label.libsonnet';\nse.seal_dynamic_nec({})",
            ["config.jsonnet, line 2: expected", "did you mean 'seal_dynamic_nce'?"],
        ),
        ("\n({}).zzz", ["config.jsonnet, line 2: expected", "got 'zzz'; see 'allennlp methods'"]),
        ("import 'zzz.json'", ["config.jsonnet, line 1: ", "'zzz.json'", *library_files()]),
    ],
)
def test_a_missing_import_or_method_is_named_in_one_sentence(text, words, tmp_path):
    (tmp_path / "config.jsonnet").write_text(text)
    with pytest.raises(ConfigurationError) as error:
        Params.from_file(tmp_path / "config.jsonnet")
    assert all(word in str(error.value) for word in words), error.value
    assert "RUNTIME" not in str(error.value)


def test_every_file_of_the_library_evaluates_and_imports_only_the_library():
    for name in library_files():
        text = (LIBRARY / name.partition("/")[2]).read_text()
        assert "../" not in text
        evaluate_snippet(name, f"std.length(import '{name}') >= 0")


def test_the_run_and_its_archive_are_self_contained(tmp_path):
    (tmp_path / "config.jsonnet").write_text(CONFIG + "+ { trainer+: { num_epochs: 1 } }")
    command = [sys.executable, "-m", "allennlp", "train", "config.jsonnet", "-s", "run"]
    subprocess.run(
        [*command, "--include-package", "structured_energy"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    assert saved["model"]["type"] == "structured-energy"
    assert "libsonnet" not in json.dumps(saved)
    (tmp_path / "config.jsonnet").unlink()
    evaluate = [sys.executable, "-m", "allennlp", "evaluate", "run/model.tar.gz"]
    subprocess.run(
        [*evaluate, "embedded://digits/test", "--include-package", "structured_energy"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("task", ["tagging", "parsing"])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_transformer_that_is_trained_has_a_rate_of_its_own(task, is_frozen):
    table = {"train": "a", "transformer": "b", "frozen": is_frozen, "transformer_lr": 3e-5}
    trainer = config_of(task, "seal_dynamic_nce", table)["trainer"]
    for optimizer in (trainer["optimizer"], trainer["networks"]["score_network"]["optimizer"]):
        groups = None if is_frozen else [[["transformer_model"], {"lr": 3e-5}]]
        assert optimizer.get("parameter_groups") == groups
