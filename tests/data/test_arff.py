"""The ARFF reader: against other parsers, on written files, and on bad ones."""

import os
import re

import arff as liac
import numpy as np
import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from structured_energy.data import ArffReader, TensorDataLoader, names
from structured_energy.data.arff import read_arff
from structured_energy.data.registry import available

GOOD = """% a comment
@RELATION 'a relation: -x 1'

@attribute first numeric
@Attribute 'second one' {red, 'light green', blue}
@attribute third {no,yes}
@attribute a {0,1}
@attribute b {0,1}
@DATA
1.5,red,yes,1,0
% another
-2,'light green',no,0,1

0,blue,yes,0,0
"""
SPARSE = GOOD.split("@DATA")[0] + "@data\n{0 1.5,2 yes,3 1}\n{0 -2,1 'light green',4 1}\n{}\n"


def write(tmp_path, text=GOOD, name="toy-train.arff", labels=("a", "b")):
    (tmp_path / "toy.xml").write_text(
        '<labels xmlns="x">' + "".join(f'<label name="{n}"/>' for n in labels) + "</labels>"
    )
    path = tmp_path / name
    path.write_text(text)
    return path


def read(path, **settings):
    return list(ArffReader(**settings).read(str(path)))


def tensors(instances):
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    rows = [instance.as_tensor_dict() for instance in instances]
    return vocab, rows


@pytest.mark.parametrize("text", [GOOD, SPARSE], ids=["dense", "sparse"])
def test_rows_of_both_kinds(tmp_path, text):
    vocab, rows = tensors(read(write(tmp_path, text)))
    assert names(vocab, "features") == [
        "first",
        "second one=red",
        "second one=light green",
        "second one=blue",
        "third",
    ]
    assert names(vocab, "labels") == ["a", "b"]
    last = [0, 1, 0, 0, 0] if text is SPARSE else [0, 0, 0, 1, 1]
    assert [row["x"].tolist() for row in rows] == [[1.5, 1, 0, 0, 1], [-2, 0, 1, 0, 0], last]
    assert [row["labels"].tolist() for row in rows] == [[True, False], [False, True], [False] * 2]


def test_labels_by_count_at_either_end_and_by_meka_header(tmp_path):
    start = GOOD.replace("@attribute a {0,1}\n", "").replace("@attribute b {0,1}\n", "")
    start = start.replace("@attribute first", "@attribute a {0,1}\n@attribute first")
    start = re.sub(r"@DATA.*", "@data\n1,1.5,red,yes\n", start, flags=re.S)
    meka = start.replace("-x 1'", "-C 1'")
    for text, options in (
        (GOOD, {"num_labels": 2}),
        (start, {"num_labels": 1, "labels_at": "start"}),
        (meka, {}),
        (GOOD.replace("-x 1'", "-C -2'"), {}),
    ):
        path = tmp_path / "by_count.arff"
        path.write_text(text)
        vocab, rows = tensors(read(path, **options))
        expected = ["a"] if "-C 1" in text or "labels_at" in options else ["a", "b"]
        assert names(vocab, "labels") == expected
        assert rows[0]["labels"][0]
        assert rows[0]["x"].tolist() == [1.5, 1, 0, 0, 1]


def test_labels_file_in_the_config_and_several_files(tmp_path):
    write(tmp_path, name="part-1.arff")
    write(tmp_path, name="part-2.arff")
    instances = read(tmp_path / "part-*.arff", labels_file=str(tmp_path / "toy.xml"))
    assert len(instances) == 6


def test_missing_values(tmp_path):
    path = write(tmp_path, GOOD.replace("1.5,red,yes", "?,?,?"))
    with pytest.raises(ValueError, match=r"toy-train.arff, line 10: .* 'first', got a missing one"):
        read(path)
    _, rows = tensors(read(path, missing_value=0.25))
    assert rows[0]["x"].tolist() == [0.25, 0, 0, 0, 0.25]


BAD = {
    "truncated header": (GOOD.split("@DATA")[0], "expected a line @data, got the end of the file"),
    "no rows": (GOOD.split("@DATA")[0] + "@data\n", "expected rows after @data"),
    "arity": (GOOD.replace("1.5,red", "red"), "line 10: expected 5 values, got 4"),
    "outside its set": (GOOD.replace("red,yes", "pink,yes"), "line 10: .*'second one'.*got 'pink'"),
    "text": (GOOD.replace("1.5", "one"), "line 10: expected a finite number .*'first', got 'one'"),
    "nan": (GOOD.replace("1.5", "nan"), "line 10: expected a finite number .*got 'nan'"),
    "infinite": (GOOD.replace("1.5", "1e999"), "line 10: expected a finite number .*got '1e999'"),
    "too large": (GOOD.replace("1.5", "1e39"), "line 10: .* of single precision .*got '1e39'"),
    "value twice": (
        GOOD.replace("blue", "red"),
        "line 5: expected different values of 'second one', got 'red' twice",
    ),
    "label": (GOOD.replace("yes,1,0", "yes,2,0"), "line 10: .*attribute 'a', .*got '2'"),
    "missing label": (
        GOOD.replace("yes,1,0", "yes,?,0"),
        r"line 10: expected the label 'a' to be 0 or 1, got a missing one \('\?'\); set .*'mask'",
    ),
    "label of three": (
        GOOD.replace("@attribute a {0,1}", "@attribute a {0,1,2}"),
        "expected the label 'a' to have the values 0 and 1",
    ),
    "type": (GOOD.replace("first numeric", "first string"), "line 4: .*'first'.*type 'string'"),
    "attribute": (
        GOOD.replace("first numeric", "first"),
        "line 4: expected '@attribute NAME TYPE'",
    ),
    "twice": (GOOD.replace("third {no", "first {no"), "line 6: .*got 'first', which line 4 has"),
    "no header": ("1,2,3\n", "line 1: expected @relation, @attribute or @data, got '1,2,3'"),
    "no attributes": ("@relation x\n@data\n1\n", "line 2: expected attributes before @data"),
    "sparse index": (SPARSE.replace("{0 1.5", "{9 1.5"), "line 10: .*index below 5, got .*'9'"),
    "sparse entry": (SPARSE.replace("{0 1.5", "{0"), "line 10: expected 'INDEX VALUE'"),
    "sparse twice": (SPARSE.replace("3 1}", "2 no}"), "line 10: expected each index once, got 2"),
    "sparse cut": (SPARSE.replace("3 1}", "3"), "line 10: expected '}' at the end"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_sentence_with_file_and_line(tmp_path, case):
    text, message = BAD[case]
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_missing_files_and_labels(tmp_path):
    with pytest.raises(ValueError, match="Expected files at .*nothing.arff', got none"):
        read(tmp_path / "nothing.arff")
    lonely = tmp_path / "lonely-train.arff"
    lonely.write_text(GOOD)
    with pytest.raises(ValueError, match="lonely-train.xml or lonely.xml beside it"):
        read(lonely)
    with pytest.raises(ValueError, match="toy.xml: expected labels that are attributes .*'c'"):
        read(write(tmp_path, labels=("a", "c")))
    with pytest.raises(ValueError, match="between 1 and 4 labels among 5 attributes, got 7"):
        read(lonely, num_labels=7)
    (tmp_path / "toy.xml").write_text("<labels>")
    with pytest.raises(ValueError, match="expected Mulan's XML"):
        read(tmp_path / "toy-train.arff")
    with pytest.raises(ConfigurationError, match="got both"):
        ArffReader(labels_file="x", num_labels=1)


def test_unequal_headers_are_named(tmp_path):
    train = write(tmp_path)
    other = write(tmp_path, GOOD.replace("@attribute first", "@attribute zeroth"), "toy-test.arff")
    loaders = [TensorDataLoader(ArffReader(), str(path), 2) for path in (train, other)]
    vocab = Vocabulary.from_instances(loaders[0].iter_instances())
    with pytest.raises(ValueError, match="toy-test.arff: got the feature 'zeroth'"):
        loaders[1].index_with(vocab)
    fewer = write(tmp_path, GOOD, "toy-fewer.arff", labels=("a",))
    text = GOOD.replace("@attribute b {0,1}\n", "")
    for end in ("1,0", "0,1", "0,0"):
        text = text.replace(f",{end}\n", f",{end[0]}\n")
    fewer.write_text(text)
    loader = TensorDataLoader(ArffReader(), str(fewer), 2)
    with pytest.raises(ValueError, match="toy-fewer.arff: expected the label 'b'"):
        loader.index_with(vocab)


def test_columns_in_another_order_are_put_in_place(tmp_path):
    train = read(write(tmp_path))
    other = read(write(tmp_path, labels=("b", "a"), name="toy-other.arff"))
    vocab = Vocabulary.from_instances(train)
    for instance in [*train, *other]:
        instance.index_fields(vocab)
    for first, second in zip(train, other, strict=True):
        assert (first.as_tensor_dict()["labels"] == second.as_tensor_dict()["labels"]).all()


def test_only_an_end_of_a_line_ends_a_line(tmp_path):
    path = write(tmp_path, GOOD.replace("first", "'fi\u2028r\x85st'").replace("\n", "\r\n"))
    assert names(tensors(read(path))[0], "features")[0] == "fi\u2028r\x85st"


cells = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.booleans())
def test_what_another_library_writes_is_read(tmp_path_factory, data, sparse):
    columns = data.draw(st.integers(1, 4))
    rows = data.draw(
        st.lists(st.lists(cells, min_size=columns, max_size=columns), min_size=1, max_size=5)
    )
    quoted = data.draw(st.sampled_from(["plain", "with space", "it's", "100%"]))
    attributes = [(f"{quoted} {i}", "REAL") for i in range(columns)] + [("y", ["0", "1"])]
    table = [[*row, "1"] for row in rows]
    if sparse:
        table = [{i: v for i, v in enumerate(row) if v != 0} for row in table]
    text = liac.dumps({"relation": "r", "attributes": attributes, "data": table})
    path = tmp_path_factory.mktemp("arff") / "file.arff"
    path.write_text(text)
    vocab, read_rows = tensors(read(path, num_labels=1))
    assert names(vocab, "features") == [name for name, _ in attributes[:-1]]
    result = np.stack([row["x"].numpy() for row in read_rows])
    np.testing.assert_array_equal(result, np.array(rows, dtype=np.float32))


@pytest.mark.parametrize(
    "name", ["bibtex", "delicious", "scene", "yeast", "genbase", "cal500", "tmc2007_500"]
)
def test_real_files_are_as_another_parser_reads_them(name):
    if not available(name):
        pytest.skip(f"STRUCTURED_ENERGY_DATA has no {name}")
    folder = os.path.join(os.environ["STRUCTURED_ENERGY_DATA"], name)
    file = f"{name}.arff" if name == "cal500" else f"{name.replace('_', '-')}-test.arff"
    path = os.path.join(folder, file)
    header, rows = read_arff(path)
    with open(path, encoding="utf-8") as file:
        lines = file.read()
    is_sparse = "{" in lines.split("@data")[1][:10]
    expected = liac.loads(lines, return_type=liac.LOD if is_sparse else liac.DENSE)
    assert [a.name for a in header.attributes] == [n for n, _ in expected["attributes"]]
    count = 0
    for row, other in zip(rows, expected["data"], strict=True):
        cells = other.items() if is_sparse else enumerate(other)
        values = dict(zip(row.attributes.tolist(), row.values.tolist(), strict=True))
        for index, value in cells:
            attribute = header.attributes[index]
            code = value if attribute.values is None else attribute.codes[value]
            assert values[index] == code
        count += 1
    assert (
        count
        == {
            "bibtex": 2515,
            "delicious": 3185,
            "scene": 1196,
            "yeast": 917,
            "genbase": 199,
            "cal500": 502,
            "tmc2007_500": 7077,
        }[name]
    )
