"""Labels of tables and texts in the taxonomy of a file: closed, all terms, and part of the run."""

import json

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor

from structured_energy.configs import config_of
from structured_energy.taxonomy import Taxonomy

EDGES = "animal\tcat\nanimal\tdog\ndog\tpoodle\nplant\toak\n"
CLOSED = [{"animal", "dog", "poodle"}, {"plant"}, {"animal", "cat", "plant"}]
READERS = {
    "table": ("zoo.csv", "a,labels\n1,poodle\n2,plant\n3,cat;plant\n", {"label_separator": ";"}),
    "columns": ("zoo.csv", "a,poodle,plant,cat\n1,1,0,0\n2,0,1,0\n3,0,1,1\n", {}),
    "matrix": ("zoo.jsonl", None, {}),
    "multi-label-text": ("zoo.jsonl", None, {}),
}


def reader_of(folder, kind, edges=EDGES, bad=None):
    name, content, settings = READERS[kind]
    if content is None:
        rows = [["poodle"], ["plant"], ["cat", "plant"]]
        x = [{"text": f"word {i}"} if "text" in kind else {"features": [i]} for i in range(3)]
        lines = [{**here, "labels": row} for here, row in zip(x, rows, strict=True)]
        content = "".join(json.dumps(line) + "\n" for line in lines)
    if bad is not None:
        content = content.replace("cat", bad)
    (folder / name).write_text(content)
    (folder / "zoo.tsv").write_text(edges)
    if kind == "columns":
        settings = {"labels": ["poodle", "plant", bad or "cat"]}
    config = {
        "type": kind if "text" in kind else "table",
        "taxonomy": f"{folder}/zoo.tsv",
        **settings,
    }
    return DatasetReader.from_params(Params(config)), str(folder / name)


@pytest.mark.parametrize("kind", sorted(READERS))
def test_labels_are_closed_and_the_vocabulary_has_the_taxonomy(tmp_path, kind):
    reader, path = reader_of(tmp_path, kind)
    instances = list(reader.read(path))
    assert [set(each["labels"].human_readable_repr()) for each in instances] == CLOSED
    vocab = Vocabulary.from_instances(instances)
    expected, found = Taxonomy.from_file(f"{tmp_path}/zoo.tsv"), Taxonomy.of_vocabulary(vocab)
    assert set(found.terms) == {"animal", "cat", "dog", "poodle", "plant", "oak"}
    for term in found.terms:
        assert found.path(found.places[term]) == expected.path(expected.places[term])


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_label_that_is_no_term_is_named_with_its_line(tmp_path, kind):
    reader, path = reader_of(tmp_path, kind, bad="cta")
    place = r"(line|row) " + ("4" if path.endswith(".csv") else "3")
    with pytest.raises(ValueError, match=rf"{place}: expected labels .*zoo.tsv.* got 'cta'") as e:
        list(reader.read(path))
    assert "did you mean 'cat'?" in str(e.value)


def test_an_unknown_label_above_a_known_one_is_known(tmp_path):
    (tmp_path / "zoo.csv").write_text("a,animal,cat,plant\n1,,1,\n")
    (tmp_path / "zoo.tsv").write_text("animal\tcat\nplant\toak\n")
    settings = {"labels": ["animal", "cat", "plant"], "missing_labels": "mask"}
    config = {"type": "table", "taxonomy": f"{tmp_path}/zoo.tsv", **settings}
    (instance,) = DatasetReader.from_params(Params(config)).read(str(tmp_path / "zoo.csv"))
    assert set(instance["labels"].human_readable_repr()) == {"animal", "cat"}
    assert set(instance["mask"].human_readable_repr()) == {"animal", "cat", "oak"}


@pytest.mark.parametrize("reader", ["object", "name"])
def test_a_table_with_the_key_taxonomy_trains_and_predicts_paths_without_the_file(tmp_path, reader):
    rows = "".join(f"{i % 7},{'poodle' if i % 2 else 'plant'}\n" for i in range(30))
    (tmp_path / "zoo.csv").write_text(f"a,labels\n{rows}")
    (tmp_path / "zoo.tsv").write_text(EDGES)
    settings = {"type": "table", "label_separator": ";"}
    if reader == "name":
        settings = "table"
        lines = [{"a": i % 7, "labels": ["poodle"] if i % 2 else ["plant"]} for i in range(30)]
        (tmp_path / "zoo.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = {
        "train": str(tmp_path / ("zoo.jsonl" if reader == "name" else "zoo.csv")),
        "reader": settings,
        "taxonomy": str(tmp_path / "zoo.tsv"),
        "hidden": [4],
        "num_epochs": 1,
        "patience": None,
    }
    config = config_of("hierarchical", "cross_entropy", data)
    train_model(Params(json.loads(json.dumps(config))), str(tmp_path / "run"))
    (tmp_path / "zoo.tsv").unlink()
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"a": 1})
    assert set(prediction["label_probabilities"]) == {
        "animal", "cat", "dog", "poodle", "plant", "oak"
    }  # fmt: skip
    assert all(path.split("/")[0] in ("animal", "plant") for path in prediction["paths"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.tsv", "a\tb\nc\n", r"t.tsv, line 2: expected an edge, .* got 'c'"),
        ("t.tsv", "a\tb\tc\n", r"t.tsv, line 1: expected an edge, .* got 'a\\tb\\tc'"),
        ("t.tsv", "a\tb\n\n\tc\n", r"t.tsv, line 3: expected an edge, .* got 'c'"),
        ("t.tsv", "a\t\n", r"t.tsv, line 1: expected an edge, .* got 'a'"),
        ("t.txt", "\n", r"t.txt: expected the terms of a taxonomy, got none"),
        ("t.json", "{}", r"t.json: expected the terms of a taxonomy, got none"),
    ],
)
def test_a_bad_file_of_a_taxonomy_is_refused_with_its_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        Taxonomy.from_file(str(tmp_path / name))


def test_a_byte_order_mark_is_no_part_of_a_term(tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\n", encoding="utf-8-sig")
    assert Taxonomy.from_file(str(tmp_path / "t.tsv")).terms == ("a", "b")
