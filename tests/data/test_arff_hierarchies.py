"""ARFF files of Clus, whose labels are the terms of a taxonomy."""

import math

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.data import ArffReader, names
from structured_energy.data.registry import available, known_data_sets
from structured_energy.taxonomy import Taxonomy

TREE = "01,01/01,01/01/03,42,42/01"
GRAPH = "root/a,root/b,a/c,b/c,c/d"


def write(folder, kind, rows):
    path = folder / "file.arff"
    path.write_text(
        "@RELATION genes\n@ATTRIBUTE weight numeric\n@ATTRIBUTE kind {x,y,z}\n"
        f"@ATTRIBUTE class hierarchical {kind}\n@DATA\n" + "".join(f"{row}\n" for row in rows)
    )
    return str(path)


def labels_of(instances):
    return [sorted(instance.fields["labels"].human_readable_repr()) for instance in instances]


@pytest.mark.parametrize(
    ("kind", "cell", "closed"),
    [
        (TREE, "01/01@42", ["01", "01/01", "42"]),
        (TREE, "01/01/03@42/01", ["01", "01/01", "01/01/03", "42", "42/01"]),
        (GRAPH, "d", ["a", "b", "c", "d"]),
        (GRAPH, "a@b", ["a", "b"]),
    ],
)
def test_terms_are_closed_under_ancestors(tmp_path, kind, cell, closed):
    path = write(tmp_path, kind, [f"1.5,x,{cell}"])
    assert labels_of(ArffReader().read(path)) == [closed]
    as_written = labels_of(ArffReader(closure=False).read(path))
    assert as_written == [sorted(cell.split("@"))]


def test_the_vocabulary_has_the_taxonomy(tmp_path):
    instances = list(ArffReader().read(write(tmp_path, GRAPH, ["1,x,d", "2,y,a"])))
    vocab = Vocabulary.from_instances(instances)
    assert names(vocab, "labels") == ["a", "b", "c", "d"]
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    loaded = Vocabulary.from_files(str(tmp_path / "vocabulary"))
    for each in (vocab, loaded):
        taxonomy = Taxonomy.of_vocabulary(each)
        assert taxonomy.terms == ("a", "b", "c", "d")
        assert taxonomy.parents == ((), (), (0, 1), (2,))


def test_a_row_without_terms_is_refused(tmp_path):
    path = write(tmp_path, TREE, ["1,x,01", "2,y,?"])
    with pytest.raises(ValueError, match="line 7: expected terms of .* 'class', got a missing"):
        list(ArffReader().read(path))


def test_files_without_a_taxonomy_have_none():
    assert Taxonomy.of_vocabulary(Vocabulary()) is None


def test_missing_numbers_are_left_to_the_model(tmp_path):
    path = write(tmp_path, TREE, ["?,?,01"])
    (instance,) = ArffReader(missing_value="mean").read(path)
    (value,) = instance.fields["x"].values
    assert math.isnan(value)  # the category that is missing turns no feature on
    with pytest.raises(ConfigurationError, match="missing_value to be a number or 'mean'"):
        ArffReader(missing_value="median")


def test_data_to_predict_for_need_no_terms(tmp_path):
    path = write(tmp_path, TREE, ["1,x,01", "2,y,42/01"])
    vocab = Vocabulary.from_instances(ArffReader().read(path))
    with_terms = list(ArffReader().for_prediction(vocab).read(path))
    bare = tmp_path / "bare.arff"
    bare.write_text(
        "@RELATION genes\n@ATTRIBUTE weight numeric\n@ATTRIBUTE kind {x,y,z}\n@DATA\n1,x\n2,y\n"
    )
    without = list(ArffReader().for_prediction(vocab).read(str(bare)))
    for instances in (with_terms, without):
        assert [sorted(instance.fields) for instance in instances] == [["x"], ["x"]]
        for instance in instances:
            instance.index_fields(vocab)


@pytest.mark.parametrize(
    ("name", "terms", "levels", "is_tree", "rows"),
    [
        ("spo_fun", 499, 6, True, {"train": 1600, "validation": 837, "test": 1266}),
        ("cellcycle_fun", 499, 6, True, {"train": 1628, "validation": 848, "test": 1281}),
        ("cellcycle_go", 4125, 14, False, {"train": 1625, "validation": 848, "test": 1278}),
        ("imclef07a", 96, 3, True, {"train": 10000, "test": 1006}),
    ],
)
def test_published_hierarchies(name, terms, levels, is_tree, rows):
    assert set(rows) == set(known_data_sets()[name].splits)
    if not available(name):
        pytest.skip("the files are not in the folder STRUCTURED_ENERGY_DATA")
    for split, count in rows.items():
        instances = list(ArffReader(missing_value="mean").read(f"data://{name}/{split}"))
        assert len(instances) == count, split
    taxonomy = Taxonomy.of_vocabulary(Vocabulary.from_instances(instances))
    assert (len(taxonomy), taxonomy.levels.max() + 1, taxonomy.is_tree) == (terms, levels, is_tree)
    for instance in instances[:50]:
        on = instance.fields["labels"].columns.tolist()
        assert on == taxonomy.close(on).tolist()
