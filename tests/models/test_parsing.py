"""Parsers: training, files of predictions, and a tree in each."""

import json

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from structured_energy.configs import evaluate_snippet
from structured_energy.data import DependencyConlluReader
from structured_energy.dependency_trees import is_tree
from structured_energy.testing import write_conllu

SMALL = {
    "num_epochs": 8,
    "hidden": 16,
    "num_layers": 1,
    "arc_size": 16,
    "relation_size": 8,
    "lr": 0.02,
    "dropout": 0.0,
    "batch_size": 10,
}


def train(method, folder):
    table = {
        **SMALL,
        "train": str(write_conllu(folder, "train", 60, seed=1)),
        "validation": str(write_conllu(folder, "validation", 20, seed=2)),
    }
    snippet = f"(import 'structured_energy/parsing.libsonnet').{method}({json.dumps(table)})"
    config = json.loads(evaluate_snippet("config", snippet))
    model = train_model(Params(config), str(folder / "run"), force=True)
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    return model, metrics


@pytest.mark.parametrize("method", ["cross_entropy", "crf"])
def test_a_parser_learns_and_writes_conllu(method, tmp_path):
    _, metrics = train(method, tmp_path)
    validation = tmp_path / "validation.conllu"
    gold = list(DependencyConlluReader().read(str(validation)))
    # Each word hangs on the word before it.
    branching = [
        head == place for instance in gold for place, head in enumerate(instance["labels"].heads)
    ]
    assert metrics["best_validation_uas"] > sum(branching) / len(branching) + 0.2
    assert metrics["best_validation_las"] <= metrics["best_validation_uas"]

    archive = load_archive(str(tmp_path / "run" / "model.tar.gz"))
    predictor = Predictor.from_archive(archive, "conllu")
    lines = ["she sees red dog runs", '{"tokens": ["she", "runs"]}']
    inputs = [predictor.load_line(line) for line in lines]
    text = "".join(map(predictor.dump_line, predictor.predict_batch_json(inputs)))
    path = tmp_path / "predicted.conllu"
    path.write_text(text)
    parsed = list(DependencyConlluReader().read(str(path)))
    assert [[token.text for token in each["x"].tokens] for each in parsed] == [
        ["she", "sees", "red", "dog", "runs"],
        ["she", "runs"],
    ]
    for each in parsed:
        assert is_tree(torch.tensor(each["labels"].heads))
    plain = Predictor.from_archive(archive).predict_json({"tokens": ["she", "runs"]})
    assert plain["labels"]["heads"] == parsed[1]["labels"].heads
