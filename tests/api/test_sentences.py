"""Sentences and their outputs in memory: tags and dependency trees, and values that are neither."""

import logging

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params

from structured_energy.api import load, train
from structured_energy.configs import config_of
from structured_energy.testing import write_conllu

SMALL = {"hidden": 4, "num_epochs": 1, "patience": None}
SIZES = {"parsing": {"num_layers": 1, "arc_size": 4, "relation_size": 4}}
TREE = {"heads": [2, 0, 2], "relations": ["nsubj", "root", "obj"]}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    found = {}
    for task in ("parsing", "tagging"):
        folder = tmp_path_factory.mktemp(task)
        path = str(write_conllu(folder, "train", 12))
        data = {"train": path, "validation": path, **SMALL, **SIZES.get(task, {})}
        if task == "tagging":
            data["reader"] = {"type": "tagging-conll", "conllu": True}
        train_model(Params(config_of(task, "cross_entropy", data)), str(folder / "run"))
        found[task] = load(folder / "run"), path
    return found


def test_the_names_of_trees_are_trees(models):
    model, path = models["parsing"]
    assert "dependency trees of" in repr(model)
    for X in (path, ["she sees dog"]):
        assert model.predict_labels(X) == model.predict(X)
    (tree,) = model.predict(["she sees dog"])
    assert sorted(tree) == ["heads", "relations"] and len(tree["heads"]) == 3


@pytest.mark.parametrize("task", ["parsing", "tagging"])
def test_a_file_is_predicted_without_its_labels(models, task, caplog):
    model, path = models[task]
    type(model.model)._warn_for_unseparable_batches.clear()
    with caplog.at_level(logging.WARNING):
        assert len(model.predict(path)) == 12
    assert not caplog.records


@pytest.mark.parametrize("task", ["parsing", "tagging"])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (3, "Expected a list, an array or a data frame .* got 3"),
        (None, "Expected a list, an array or a data frame .* got None"),
        ([3], "Expected a sentence, a text or a list of tokens, got .* type int"),
        ([None], "Expected a sentence, a text or a list of tokens, got .* type NoneType"),
        ([["a", 3]], "Expected a line with 'tokens'"),
    ],
)
def test_inputs_that_are_no_sentences_are_refused(models, task, X, message):
    with pytest.raises(ValueError, match=message):
        models[task][0].predict(X)


@pytest.mark.parametrize(
    ("task", "Y", "message"),
    [
        ("parsing", [[2, 0, 2]], r"lists with one of each for 3 tokens, got \[2, 0, 2\]"),
        ("parsing", [{"relations": TREE["relations"]}], "lists with one of each for 3 tokens"),
        ("parsing", [{**TREE, "heads": [2, 0]}], "lists with one of each for 3 tokens"),
        (
            "parsing",
            [{**TREE, "heads": [2, 0, 9]}],
            "Word 3 of 'she sees dog': expected a head from 0, .* got '9'",
        ),
        (
            "parsing",
            [{**TREE, "heads": [2, 1, 0]}],
            "Word . of .* expected heads that lead to the root",
        ),
        (
            "parsing",
            [{**TREE, "heads": [0, 0, 2]}],
            "Word 2 of .* expected one word with the head 0",
        ),
        ("parsing", [None], r"an output in Y for each input, got none for X\[0\]"),
        ("tagging", [["NOUN"]], "a list of 3 tags"),
        ("tagging", ["abc"], "a list of 3 tags, .* got abc"),
        ("tagging", [3], "a list of 3 tags, .* got 3"),
        ("tagging", 3, "Expected a list, an array or a data frame"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(models, task, Y, message):
    with pytest.raises(ValueError, match=message):
        models[task][0].evaluate(["she sees dog"], Y)


def test_a_tree_in_memory_is_evaluated(models):
    model, _ = models["parsing"]
    tree = model.predict(["she sees dog"])
    assert model.evaluate(["she sees dog"], tree)["las"] == 1.0


def test_the_reader_of_a_file_chooses_the_task(tmp_path):
    path = str(write_conllu(tmp_path, "train", 12))
    text = tmp_path / "texts.jsonl"
    text.write_text('{"text": "rain", "labels": ["wet"]}\n{"text": "sun", "labels": ["dry"]}\n' * 6)
    cases = {
        "parsing": (path, {"reader": "dependency-conllu", "hidden": 4, **SIZES["parsing"]}),
        "tagging": (path, {"reader": {"type": "tagging-conll", "conllu": True}, "hidden": 4}),
        "texts": (str(text), {"reader": "multi-label-text", "hidden": [4]}),
    }
    for name, (X, settings) in cases.items():
        model = train(
            "cross_entropy", X, out=tmp_path / name, num_epochs=1, settings=settings, verbose=False
        )
        assert len(model.predict(["sun and rain"])) == 1


def test_a_label_that_the_model_does_not_know_is_named_with_advice(tmp_path):
    text, other = tmp_path / "texts.jsonl", tmp_path / "other.jsonl"
    text.write_text('{"text": "rain", "labels": ["wet"]}\n{"text": "sun", "labels": ["dry"]}\n' * 6)
    other.write_text('{"text": "rain", "labels": ["cold"]}\n')
    settings = {"reader": "multi-label-text", "hidden": [4]}
    model = train(
        "cross_entropy",
        str(text),
        out=tmp_path / "run",
        num_epochs=1,
        settings=settings,
        verbose=False,
    )
    with pytest.raises(ValueError, match="'cold'.*; correct it, or train on data that have it"):
        model.evaluate(str(other))
