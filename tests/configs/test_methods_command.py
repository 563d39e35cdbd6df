"""`allennlp methods` and `allennlp check`, from a folder of a user's own."""

import json
import re

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from forked_command import allennlp
from shipped import config_of as shipped_config
from test_training_configs import TAGGING_METHODS, fields_of, of_method

from structured_energy.configs import METHODS, config_of, faults_of
from structured_energy.configs.methods import config_for, data_sets_of
from structured_energy.testing import write_arff


@pytest.mark.parametrize("task", METHODS)
def test_the_table_of_methods_is_the_library_s(task):
    names = [method.name for method in METHODS[task]]
    # The library of tags has further methods, without configs.
    expected = TAGGING_METHODS if task == "tagging" else fields_of(task)
    assert set(names) == set(expected) and len(set(names)) == len(names)
    assert all(method.about.endswith(".") for method in METHODS[task])


def test_a_config_of_python_is_the_shipped_one():
    assert config_for("multi_label", "dvn") == shipped_config(of_method("dvn"))
    config = config_of("multi_label", "dvn", {"train": "it's", "reader": {"type": "table"}})
    assert config["train_data_path"] == "it's[:90%]"


@pytest.mark.parametrize(
    ("task", "method", "table", "message"),
    [
        ("multi_label", "seal_dynamik_nce", {}, "did you mean 'seal_dynamic_nce'?"),
        ("multi_label", "crf", {}, "Expected a method of the task multi_label, one of cross"),
        ("labels", "dvn", {}, "Expected a task among multi_label, tagging, segmentation"),
        ("tagging", "crf", {"train": "a", "epochs": 1}, "^Expected a key .* 'num_epochs'?"),
    ],
)
def test_a_config_of_python_that_cannot_be_raises(task, method, table, message):
    with pytest.raises(ConfigurationError, match=message):
        config_of(task, method, table)


def test_methods_are_listed_with_their_papers(tmp_path):
    listed = allennlp("methods", cwd=tmp_path).stdout
    for methods in METHODS.values():
        for method in methods:
            assert re.search(rf"^{method.name} .*{method.paper or ''}", listed, re.M), method
    of_task = allennlp("methods", "--task", "segmentation", cwd=tmp_path).stdout
    assert "crf" not in of_task and "Gygli et al. 2017" in of_task


def test_a_method_shows_its_plain_config(tmp_path):
    shown = json.loads(allennlp("methods", "crf", cwd=tmp_path).stdout)
    assert shown == config_for("tagging", "crf", "twpos")
    shown = json.loads(allennlp("methods", "dvn", "--data", "bibtex", cwd=tmp_path).stdout)
    assert shown["train_data_path"] == "data://bibtex/train[:90%]"
    wrong = allennlp("methods", "dvn", "--data", "bibtx", cwd=tmp_path)
    assert wrong.returncode == 1 and "one of bibtex, cal500" in wrong.stderr


def test_all_configs_are_written_for_a_data_set_and_for_a_table(tmp_path):
    written = allennlp("methods", "--write", "configs", cwd=tmp_path)
    assert written.stdout.splitlines() == [
        f"configs/{method.name}.jsonnet" for method in METHODS["multi_label"]
    ]
    text = (tmp_path / "configs" / "dvn.jsonnet").read_text()
    assert text == of_method("dvn").read_text().replace("methods", "se").replace(
        "structured_energy/se", "structured_energy/methods"
    )
    (tmp_path / "mine.libsonnet").write_text("{ train: 'a.arff', num_epochs: 3 }")
    allennlp("methods", "--write", "own/configs", "--data", "mine.libsonnet", cwd=tmp_path)
    config = Params.from_file(tmp_path / "own" / "configs" / "spen.jsonnet").as_dict(quiet=True)
    assert config["trainer"]["num_epochs"] == 3 and faults_of(config) == []
    (tmp_path / "configs" / "dvn.jsonnet").write_text("{}")
    again = allennlp("methods", "--write", "configs", cwd=tmp_path)
    assert again.returncode == 1 and "no other config at configs/dvn.jsonnet" in again.stderr
    assert "bibtex" in data_sets_of("multi_label")


def test_check_says_what_the_config_is_and_that_its_data_exist(tmp_path):
    train = write_arff(tmp_path, "train", 20, seed=0)
    config = config_of("multi_label", "seal_dynamic_nce", {"train": str(train)})
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = allennlp("check", "config.json", cwd=tmp_path)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("config is fine: config.json\n")
    for words in ("nce-ranking", "network-draws", "60 epochs", f"{train}[:90%] (found)"):
        assert words in result.stdout
    missing = allennlp("check", "config.json", "-o", '{"test_data_path": "no"}', cwd=tmp_path)
    assert missing.returncode == 1 and missing.stdout == ""
    assert "Expected the data that config.json names, got no file at no" in missing.stderr


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ({"labels": ["a", "bb"]}, "expected a column of labels 'bb', got the columns"),
        ({"labels": ["a"], "ignore": ["idd"]}, "expected a column 'idd', as in 'ignore'"),
        ({"labels": ["a", "b*"], "ignore": ["id"]}, None),
    ],
)
def test_check_compares_the_columns_of_a_table_with_its_header(reader, words, tmp_path):
    (tmp_path / "train.csv").write_text("\ufeffid,x,a,b\n1,2,0,1\nthis line is not read\n")
    table = {"train": "train.csv", "reader": {"type": "table", **reader}}
    (tmp_path / "config.json").write_text(json.dumps(config_of("multi_label", "dvn", table)))
    result = allennlp("check", "config.json", cwd=tmp_path)
    if words is None:
        assert result.returncode == 0 and result.stdout.startswith("config is fine")
    else:
        assert result.returncode == 1 and result.stdout == ""
        assert "train.csv" in result.stderr and words in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        ({"text": "body"}, "expected a column of texts 'body', got the columns ['text', 'labels']"),
        ({"labels": "tags"}, "'tags'"),
        ({}, None),
    ],
)
def test_check_compares_the_columns_of_texts(reader, words, tmp_path):
    (tmp_path / "train.csv").write_text("text,labels\na text,a;b\nanother,b\n")
    given = {"type": "multi-label-text", "label_separator": ";", **reader}
    table = {"train": "train.csv", "reader": given}
    config = config_of("multi_label_text", "cross_entropy", table)
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = allennlp("check", "config.json", cwd=tmp_path)
    assert result.returncode == (words is not None)
    assert result.stdout.startswith("config is fine") == (words is None)
    assert words is None or ("train.csv" in result.stderr and words in result.stderr)


def test_check_names_every_fault_of_the_config_and_its_overrides(tmp_path):
    config = {**shipped_config(of_method("dvn")), "modell": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = allennlp("check", "config.json", "-o", '{"trainer.num_epoch": 1}', cwd=tmp_path)
    assert result.returncode == 1 and result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 2
    assert "'modell'; did you mean 'model'?" in result.stderr
    assert "'num_epoch'; did you mean 'num_epochs'?" in result.stderr
