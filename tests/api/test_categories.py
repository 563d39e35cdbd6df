"""Categories come from the data to train on, whatever reads first."""

import json

import pytest
from allennlp.data import Vocabulary

import structured_energy as se
from structured_energy.configs import config_of
from structured_energy.data import TableReader, names
from structured_energy.reporting import load_data

LAZY = {"batch_size": 8, "max_instances_in_memory": 8}


@pytest.fixture()
def config(tmp_path):
    rows = [f"{i / 7},{'red' if i % 3 else 'blue'},{i % 2},{int(i > 12)}" for i in range(24)]
    for name, lines in (("train", rows), ("validation", [r.replace("red", "pink") for r in rows])):
        text = "\n".join(["age,colour,label_a,label_b", *lines])
        (tmp_path / f"{name}.csv").write_text(text)
    paths = {name: str(tmp_path / f"{name}.csv") for name in ("train", "validation")}
    reader = {"type": "table", "labels": "label_*"}
    table = {**paths, "reader": reader, "num_epochs": 1, "hidden": [4]}
    return config_of("multi_label", "cross_entropy", table)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_loader": LAZY},
        {"data_loader": {**LAZY, "num_workers": 1}},
        {"validation_dataset_reader": {"type": "table", "labels": "label_*"}},
    ],
    ids=["lazy", "worker", "two readers"],
)
def test_a_run_takes_its_categories_from_the_training_data(tmp_path, config, changes):
    model = se.train({**config, **changes}, out=tmp_path / "run", verbose=False)
    assert model.features == ["age", "colour=blue", "colour=red"]
    kept = json.loads((tmp_path / "run" / "config.json").read_text())
    assert kept["data_loader"] == changes.get("data_loader", config["data_loader"])


def test_a_reader_that_knows_its_training_data(tmp_path, config):
    reader = TableReader(labels="label_*")
    reader.training_path = config["train_data_path"]
    vocab = Vocabulary.from_instances(reader.read(config["validation_data_path"]))
    assert names(vocab, "features") == ["age", "colour=blue", "colour=red"]


def test_data_to_inspect_have_the_categories_of_the_model(tmp_path, config):
    model = se.train(config, out=tmp_path / "run", verbose=False)
    path = tmp_path / "numbers.csv"
    path.write_text("age,colour,label_a,label_b\n1.5,7,1,0\n0.5,8,0,1\n")
    data = load_data(tmp_path / "run", model.model.vocab, str(path))
    (batch,) = data
    assert batch["x"].tolist() == [[1.5, 0, 0], [0.5, 0, 0]]
    assert len(model.evaluate(str(path))) and model.predict_proba(str(path)).shape == (2, 2)
