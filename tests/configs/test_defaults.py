"""A table of one's own has the data and what differs; all else comes from `defaults`."""

import itertools
import json

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from selection import by_turns

from structured_energy.configs import evaluate_snippet
from structured_energy.testing import write_arff, write_conllu, write_images

LIBRARIES = ("multi_label", "multi_label_text", "tagging", "segmentation")


def of(library, table, method="cross_entropy"):
    text = f"(import 'structured_energy/{library}.libsonnet').{method}({table})"
    return json.loads(evaluate_snippet("config", text))


def read(tmp_path, library, table):
    path = tmp_path / "config.jsonnet"
    path.write_text(f"(import 'structured_energy/{library}.libsonnet').cross_entropy({table})")
    return Params.from_file(path)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_table_leaves_out_takes_defaults(library):
    text = f"(import 'structured_energy/{library}.libsonnet').defaults {{ train: 'a' }}"
    defaults = json.loads(evaluate_snippet("defaults", text))
    config = of(library, "{ train: 'a.x', validation: 'b.x' }")
    assert (config["train_data_path"], config["validation_data_path"]) == ("a.x", "b.x")
    assert config["trainer"]["num_epochs"] == defaults["num_epochs"]
    assert config["trainer"]["optimizer"] == defaults["optimizer"]
    assert config["model"]["metrics"] == defaults["metrics"]
    assert not {"test_data_path", "evaluate_on_test"} & config.keys()
    config = of(library, "{ train: 'a.x', validation: 'b.x', test: 'c.x' }")
    assert config["test_data_path"] == "c.x" and config["evaluate_on_test"] is True


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_validation_data_a_tenth_of_the_training_data_validates(library):
    config = of(library, "{ train: 'a.x' }")
    assert config["train_data_path"] == "a.x[:90%]"
    assert config["validation_data_path"] == "a.x[90%:]"


@pytest.mark.parametrize("train", ["a.arff[:50%]", "a.arff?seed=1"])
def test_a_part_of_a_file_is_not_parted_again(train, tmp_path):
    with pytest.raises(ConfigurationError, match=r"config.jsonnet: expected the key 'validation'"):
        read(tmp_path, "multi_label", f"{{ train: '{train}' }}")


WRONG_TABLES = [
    ("{ train: 'a', num_epoch: 3 }", "got 'num_epoch'; did you mean 'num_epochs'"),
    ("{ train: 'a', zzz: 3 }", "got 'zzz'; the keys are batch_size, "),
    ("{ reader: 'arff' }", "config.jsonnet: expected the key 'train', the path"),
]


@pytest.mark.parametrize(
    ("library", "wrong"),
    by_turns(itertools.product(LIBRARIES, WRONG_TABLES), row=lambda case: case[0]),
)
def test_misspelt_and_missing_keys_of_a_table_raise(library, wrong, tmp_path):
    table, words = wrong
    with pytest.raises(ConfigurationError, match=words) as error:
        read(tmp_path, library, table)
    assert "RUNTIME" not in str(error.value)


def test_methods_take_optimizers_and_callbacks():
    table = """{ train: 'a', lr: 0.5, optimizer: 'adam', score_optimizer: { type: 'sgd', lr: 1 },
                 callbacks: ['console-tree'] }"""
    for library in LIBRARIES:
        trainer = of(library, table, "seal_dynamic_nce")["trainer"]
        assert trainer["optimizer"] == "adam"
        assert trainer["networks"]["score_network"]["optimizer"] == {"type": "sgd", "lr": 1}
        assert trainer["callbacks"][-1] == "console-tree"
    assert of("tagging", table, "crf")["trainer"]["optimizer"] == "adam"
    assert of("multi_label", table, "spen")["trainer"]["optimizer"] == {"type": "sgd", "lr": 1}
    # A value that others are made of is the one of the table.
    config = of("multi_label", "{ train: 'a', lr: 0.5, hidden: [7] }", "seal_dynamic_nce")
    assert config["trainer"]["optimizer"]["lr"] == 0.5
    encoder = config["model"]["score_network"]["encoder"]
    assert encoder["feedforward"]["hidden_dims"] == [7]


def test_every_method_takes_evaluations():
    evaluations = {"ranking": {"type": "score-ranking"}, "mine": {"type": "inference"}}
    for library in LIBRARIES:
        assert "evaluations" not in of(library, "{ train: 'a' }", "cross_entropy")["model"]
        table = f"{{ train: 'a', evaluations: {json.dumps(evaluations)} }}"
        for method in ("cross_entropy", "seal_dynamic_nce"):
            assert of(library, table, method)["model"]["evaluations"] == evaluations


def test_readers_of_tags_get_the_indexers_of_the_embedders():
    indexers = of("tagging", "{ train: 'a' }")["dataset_reader"]["token_indexers"]
    reader = "{ type: 'tagging-conll', conllu: true }"
    config = of("tagging", f"{{ train: 'a', reader: {reader} }}")
    assert config["dataset_reader"] == {
        "type": "tagging-conll",
        "conllu": True,
        "token_indexers": indexers,
    }


def test_a_table_says_what_differs_for_a_method():
    table = "{ train: 'a', lr: 1, tuned: { dvn: { score_lr: 2 }, cross_entropy: { lr: 3 } } }"
    assert of("multi_label", table, "cross_entropy")["trainer"]["optimizer"]["lr"] == 3
    assert of("multi_label", table, "dvn")["trainer"]["optimizer"]["lr"] == 2
    assert of("multi_label", table, "spen")["trainer"]["optimizer"]["lr"] == 1e-3


@pytest.mark.parametrize(
    ("library", "write", "table"),
    [
        ("multi_label", write_arff, ""),
        ("tagging", write_conllu, "reader: { type: 'tagging-conll', conllu: true },"),
        ("segmentation", write_images, "crop: [8, 9], windows_per_side: 2,"),
    ],
)
def test_a_dozen_lines_train(library, write, table, tmp_path):
    train = write(tmp_path / "data", "train", 20, seed=0)
    table = f"{{ train: '{train}', num_epochs: 1, {table} }}"
    model = train_model(Params(of(library, table, "seal_dynamic_nce")), str(tmp_path / "run"))
    assert len(list(model.parameters())) > 2
