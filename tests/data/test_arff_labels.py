"""Labels in ARFF files: which attributes they are, and rows in which none is known."""

import json
import logging

import numpy as np
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Vocabulary
from forked_command import allennlp

from structured_energy.data import ArffReader, TensorDataLoader, names
from structured_energy.testing import write_arff

HEADER = """@relation {relation}
@attribute first {{0,1}}
@attribute second numeric
@attribute last {{0,1}}
@data
"""


def write(tmp_path, rows, relation="r: -C -1", name="file.arff", header=HEADER):
    path = tmp_path / name
    path.write_text(header.format(relation=relation) + rows)
    return path


def batch_of(instances, vocab=None):
    batch = Batch(instances)
    batch.index_instances(vocab or Vocabulary.from_instances(instances))
    return batch.as_tensor_dict()


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ("'Hepatitis-C 2 study: -C -1'", ["last"]),
        ("'study -C 2: -split 5 -C 1'", ["first"]),
        ("'study: -C 2 -C -1'", ["last"]),
        ("'study: -x-C 2 -C -1'", ["last"]),
        ("'study: -C -1-weka.filters.Resample'", ["last"]),
        ("'-C 1'", ["first"]),
        ("study:-C -1", ["last"]),
        ('"study: -C 1"', ["first"]),
    ],
)
def test_the_last_option_of_meka_counts(tmp_path, relation, expected):
    instances = list(ArffReader().read(str(write(tmp_path, "1,0,1\n", relation))))
    assert instances[0].fields["labels"].schema.columns["labels"] == expected


@pytest.mark.parametrize("relation", ["'Hepatitis-C 2 study'", "'study -C 2'", "'s: -C2 -C x'"])
def test_text_that_looks_like_an_option_of_meka_is_none(tmp_path, relation):
    with pytest.raises(ValueError, match="file.xml beside it"):
        list(ArffReader().read(str(write(tmp_path, "1,0,1\n", relation))))


def test_missing_labels_are_masked(tmp_path):
    rows = "1,5,?\n?,?,?\n{1 5,2 ?}\n{0 1}\n0,0,0\n"
    path = write(tmp_path, rows, "r")
    header = "@relation r\n@attribute x numeric\n@attribute a {0,1}\n@attribute b {1,0}\n@data\n"
    path.write_text(header + "5,1,?\n2,?,?\n{0 5,1 ?}\n{2 0}\n0,0,0\n")
    reader = ArffReader(num_labels=2, missing_labels="mask")
    instances = list(reader.read(str(path)))
    batch = batch_of(instances)
    # A sparse row omits the first value: 0 of a, 1 of b.
    labels = [[1, 0], [0, 0], [0, 1], [0, 0], [0, 0]]
    known = [[1, 0], [0, 0], [0, 1], [1, 1], [1, 1]]
    assert batch["labels"].int().tolist() == labels
    assert batch["mask"].dtype == torch.bool
    assert batch["mask"].int().tolist() == known
    loader = TensorDataLoader(reader, str(path), 5)
    loader.index_with(Vocabulary.from_instances(instances))
    (whole,) = list(loader)
    for key, value in batch.items():
        assert torch.equal(whole[key], value)
    with pytest.raises(ConfigurationError, match="'error' or 'mask'.*got 'ignore'"):
        ArffReader(missing_labels="ignore")


def test_rows_without_a_label_are_rows(tmp_path, caplog):
    path = write(tmp_path, "0,5,0\n1,5,0\n")
    with caplog.at_level(logging.WARNING):
        batch = batch_of(list(ArffReader().read(str(path))))
    assert batch["labels"].tolist() == [[False], [False]]
    assert "no row has a label" in caplog.text and "['last']" in caplog.text
    caplog.clear()
    batch_of(list(ArffReader().read(str(write(tmp_path, "0,5,0\n1,5,1\n")))))
    assert "no row has a label" not in caplog.text


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (HEADER, "1,5,0\n0,2,0\n"),
        (HEADER, "1,5,?\n0,2,?\n"),
        (HEADER, "{0 1,1 5,2 ?}\n{1 2}\n"),
        (HEADER.replace("@attribute last {{0,1}}\n", ""), "1,5\n0,2\n"),
        (HEADER.replace("last {{0,1}}", "last {{a,b,c}}"), "1,5,a\n0,2,?\n"),
    ],
)
def test_data_to_predict_for_need_no_labels(tmp_path, header, rows):
    train = list(ArffReader().read(str(write(tmp_path, "1,5,1\n0,2,0\n"))))
    vocab = Vocabulary.from_instances(train)
    reader = ArffReader().for_prediction(vocab)
    path = write(tmp_path, rows, "no option", "other.arff", header)
    instances = list(reader.read(str(path)))
    assert all(instance.fields.keys() == {"x"} for instance in instances)
    assert torch.equal(batch_of(instances, vocab)["x"], batch_of(train, vocab)["x"])
    assert names(vocab, "labels") == ["last"]


def run(folder, *arguments):
    done = allennlp(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]


def test_predict_and_evaluate_rows_without_labels(tmp_path):
    """The whole way by the commands, with the metrics of the known cells by a plain loop."""
    for name, count in (("train", 24), ("test", 12)):
        write_arff(tmp_path, name, count, seed=count)
    header, _, rows = (tmp_path / "problem-test.arff").read_text().partition("@data\n")
    cells = [row.split(",") for row in rows.splitlines()]
    cells[0][5:] = "????"
    cells[1][5:] = "0000"
    cells[2][6] = cells[3][5] = cells[4][8] = "?"
    masked = header + "@data\n" + "\n".join(map(",".join, cells)) + "\n"
    (tmp_path / "problem-masked.arff").write_text(masked)
    bare = header.replace("{0,1}", "").splitlines()
    bare = [line for line in bare if not line.startswith("@attribute label")]
    text = "\n".join([*bare, "@data", *(",".join(row[:5]) for row in cells)]) + "\n"
    (tmp_path / "bare.arff").write_text(text)
    network = {"num_layers": 1, "hidden_dims": 4, "activations": "relu"}
    config = {
        "dataset_reader": {"type": "arff", "missing_labels": "mask"},
        "train_data_path": "problem-masked.arff",
        "data_loader": {"type": "tensor", "batch_size": 8},
        "model": {
            "type": "structured-energy",
            "output_space": "binary",
            "task_network": {"encoder": {"type": "feedforward", "feedforward": network}},
            "sampler": {"type": "inference-network", "loss": "cross-entropy"},
            "metrics": ["hamming-loss", "subset-accuracy"],
        },
        "trainer": {"optimizer": {"type": "adam", "lr": 0.01}, "num_epochs": 1, "cuda_device": -1},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    package = ("--include-package", "structured_energy")
    run(tmp_path, "train", "config.json", "-s", "run", *package)
    probabilities = {}
    for name in ("bare", "problem-masked", "problem-test"):
        flags = ("--use-dataset-reader", "--silent", "--output-file", "out")
        run(tmp_path, "predict", "run/model.tar.gz", f"{name}.arff", *flags, *package)
        lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
        probabilities[name] = np.array([line["probabilities"] for line in lines])
    assert probabilities["bare"].shape == (12, 4)
    for predicted in probabilities.values():
        np.testing.assert_allclose(predicted, probabilities["bare"], atol=1e-6)
    flags = ("--output-file", "metrics", *package)
    run(tmp_path, "evaluate", "run/model.tar.gz", "problem-masked.arff", *flags)
    metrics = json.loads((tmp_path / "metrics").read_text())
    known = [
        [(on > 0.5) != (cell == "1") for on, cell in zip(row, line[5:], strict=True) if cell != "?"]
        for row, line in zip(probabilities["bare"], cells, strict=True)
    ]
    wrong = sum(known, [])
    assert len(wrong) == 12 * 4 - 7
    assert metrics["hamming_loss"] == pytest.approx(np.mean(wrong))
    right = [not any(row) for row in known if row]
    assert len(right) == 11
    assert metrics["subset_accuracy"] == pytest.approx(np.mean(right))
