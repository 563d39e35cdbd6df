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


# The tree has a cycle, which is not read.
GIVEN = """# text = she'll see
1-2\tshe'll\t_\t_\t_\t_\t_\t_\t_\t_
1\tshe\tshe\tPRON\tPRP\tCase=Nom\t2\tdep\t2:dep\t_
2\tsees\tsee\tVERB\tMD\t_\t1\tdep\t1:dep\t_
2.1\tnothing\t_\t_\t_\t_\t_\t_\t1:dep\t_
# in between
3\tdog\tdog\tNOUN\tNN\t_\t2\tdep\t2:dep\tSpaceAfter=No

"""


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
    given = tmp_path / "given.conllu"
    given.write_text(GIVEN)
    instances = list(predictor._dataset_reader.read(str(given)))
    (tree,) = predictor.predict_batch_instance(instances)
    rows = [line.split("\t") for line in predictor.dump_line(tree).splitlines()]
    expected = [line.split("\t") for line in GIVEN.splitlines()]
    assert [row[:6] + row[9:] for row in rows] == [row[:6] + row[9:] for row in expected]
    words = [row for row in rows if row[0].isdigit()]
    assert [(int(row[6]), row[7]) for row in words] == list(
        zip(tree["labels"]["heads"], tree["labels"]["relations"], strict=True)
    )
    assert {row[8] for row in words} == {"_"}
    with pytest.raises(ValueError, match="and --predictor conllu also plain sentences"):
        Predictor.from_archive(archive).load_line("she runs")
    plain = Predictor.from_archive(archive).predict_json({"tokens": ["she", "runs"]})
    assert plain["labels"]["heads"] == parsed[1]["labels"].heads
