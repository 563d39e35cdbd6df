"""The reader `table`: the same table in every format, and what it says of bad ones."""

import gzip
import io
import json

import numpy as np
import pytest
import scipy.sparse
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from reading import tensors
from sklearn.datasets import load_svmlight_file
from sklearn.preprocessing import MultiLabelBinarizer, OneHotEncoder

from structured_energy.data import TableReader, names, write_table

AGES = [3.5, 0.0, 2e3, -1.0]
COLORS = ["red", "blue", "red", "dark green"]
SMOKES = [1, 0, 0, 1]
LABELS = [["b"], [], ["a", "b"], ["a"]]
ROWS = list(zip(AGES, COLORS, SMOKES, LABELS, strict=True))
CATEGORIES = OneHotEncoder(sparse_output=False).fit_transform(np.array(COLORS)[:, None])
X = np.column_stack([AGES, CATEGORIES, SMOKES]).astype(np.float32)
Y = MultiLabelBinarizer().fit_transform(LABELS).astype(bool)
FEATURES = ["age", "color=blue", "color=dark green", "color=red", "smokes"]
ON = {"label_a": [0, 0, 1, 1], "label_b": [1, 0, 1, 0]}


def read(path, **settings):
    """The matrices x and y of a file, with the names of their columns, and its masks."""
    return matrices(list(TableReader(**settings).read(str(path))))


def matrices(instances, vocab=None):
    vocab = vocab or Vocabulary.from_instances(instances)
    rows = [
        {name: field.as_tensor({}) for name, field in instance.fields.items()}
        for instance in instances
        if instance.index_fields(vocab) is None
    ]
    parts = {name: torch.stack([row[name] for row in rows]).numpy() for name in rows[0]}
    return {**parts, "features": names(vocab, "features"), "label_names": names(vocab, "labels")}


def text(separator, decimal=".", quote='"'):
    lines = [separator.join(["age", "color", "smokes", *ON])]
    for number, (age, color, smokes, _) in enumerate(ROWS):
        cells = [str(age).replace(".", decimal), f"{quote}{color}{quote}", "yn"[smokes == 0]]
        cells[2] = "true" if smokes else "false"
        lines.append(separator.join([*cells, *(str(column[number]) for column in ON.values())]))
    return "\n".join(lines) + "\n"


def delimited():
    lines = ["age,color,smokes,tags"]
    lines += [f"{a},{c},{s},{'; '.join(t)}" for a, c, s, t in ROWS]
    return "\r\n".join(lines) + "\r\n"


def json_lines(nested=False, as_dictionary=False):
    lines = []
    for age, color, smokes, labels in ROWS:
        cells = {"age": age, "color": color, "smokes": bool(smokes)}
        on = {name: int(name in labels) for name in "ab"} if as_dictionary else labels
        lines.append({"features": cells, "labels": on} if nested else {**cells, "labels": on})
    return "".join(json.dumps(line) + "\n" for line in lines)


def parquet(lists):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet as files

    color = pyarrow.array(COLORS).dictionary_encode()
    columns = {"age": AGES, "color": color, "smokes": [bool(value) for value in SMOKES]}
    target = io.BytesIO()
    files.write_table(pyarrow.table({**columns, **({"labels": LABELS} if lists else ON)}), target)
    return target.getvalue()


COLUMNS = {"labels": "label_*"}
FILES = {
    "csv": ("t.csv", lambda: text(","), COLUMNS),
    "list of columns": ("t.csv", lambda: text(","), {"labels": ["label_b", "label_a"]}),
    "compressed": ("t.csv.gz", lambda: gzip.compress(text(",").encode()), COLUMNS),
    "byte order mark": ("t.csv", lambda: b"\xef\xbb\xbf" + text(",").encode(), COLUMNS),
    "utf-16": ("t.csv", lambda: text(",").encode("utf-16"), {**COLUMNS, "encoding": "utf-16"}),
    "blank lines": ("t.csv", lambda: text(",").replace("\n", "\n\n"), COLUMNS),
    "decimal commas": (
        "t.csv",
        lambda: text(";", ","),
        {**COLUMNS, "separator": ";", "decimal": ","},
    ),
    "tsv": ("t.tsv", lambda: text("\t", quote=""), COLUMNS),
    "by format": ("t.data", lambda: text("\t"), {**COLUMNS, "format": "tsv"}),
    "delimited": ("t.csv", delimited, {"labels": "tags", "label_separator": ";"}),
    "flat lines": ("t.jsonl", json_lines, {}),
    "nested lines": ("t.ndjson", lambda: json_lines(nested=True), {}),
    "dictionaries": ("t.jsonl", lambda: json_lines(True, as_dictionary=True), {}),
    "parquet": ("t.parquet", lambda: parquet(lists=False), COLUMNS),
    "parquet of lists": ("t.parquet", lambda: parquet(lists=True), {}),
}


@pytest.mark.parametrize("kind", sorted(FILES))
def test_every_format_gives_the_same_instances(tmp_path, kind):
    name, content, settings = FILES[kind]
    content = content()
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read(path, **settings)
    order = [found["features"].index(name) for name in FEATURES]
    np.testing.assert_array_equal(found["x"][:, order], X)
    labels = [name.removeprefix("label_") for name in found["label_names"]]
    np.testing.assert_array_equal(found["labels"][:, np.argsort(labels)], Y)
    assert len(order) == found["x"].shape[1] and sorted(labels) == ["a", "b"]


@pytest.mark.parametrize("kind", ["dense", "sparse", "single", "svm", "xmc", "txt"])
def test_matrices_give_the_same_instances(tmp_path, kind):
    path = tmp_path / ("t." + {"dense": "npz", "sparse": "npz", "single": "npz"}.get(kind, kind))
    arrays = {"feature_names": np.array(FEATURES), "label_names": np.array(["a", "b"])}
    if kind == "dense":
        np.savez(path, X=X, Y=Y, **arrays)
    elif kind in ("sparse", "single"):
        for key, matrix in (("X", X), ("Y", Y)):
            rows = scipy.sparse.csr_matrix(matrix)
            parts = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr}
            arrays.update({f"{key}_{part}": value for part, value in parts.items()})
            arrays[f"{key}_shape"] = np.array(rows.shape)
        np.savez(path, **arrays)
    else:
        lines = [f"{len(X)} {X.shape[1]} {Y.shape[1]}"] if kind != "svm" else ["# a comment"]
        for x, y in zip(X, Y, strict=True):
            pairs = " ".join(f"{place}:{float(x[place])!r}" for place in np.flatnonzero(x))
            lines.append(",".join(map(str, np.flatnonzero(y))) + " " + pairs)
        path.write_text("\n".join(lines) + "\n")
    found = read(path)
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["labels"], Y)
    named = kind in ("dense", "sparse", "single")
    assert found["features"] == (FEATURES if named else [str(i) for i in range(X.shape[1])])
    assert found["label_names"] == (["a", "b"] if named else ["0", "1"])
    if kind == "svm":
        reference, labels = load_svmlight_file(str(path), multilabel=True, zero_based=True)
        np.testing.assert_array_equal(found["x"], reference.toarray().astype(np.float32))
        on = [tuple(np.flatnonzero(row).astype(float)) for row in found["labels"]]
        assert on == [tuple(sorted(row)) for row in labels]


def test_a_matrix_that_scipy_saved_is_features_to_predict_for(tmp_path):
    path = tmp_path / "x.npz"
    scipy.sparse.save_npz(path, scipy.sparse.csr_matrix(X))
    vocab = Vocabulary.from_instances(TableReader().table_to_instances(X, Y))
    found = matrices(list(TableReader().for_prediction(vocab).read(str(path))), vocab)
    np.testing.assert_array_equal(found["x"], X)
    with pytest.raises(ValueError, match="expected labels .*'Y'"):
        read(path)


FRAMES = {
    "array": lambda _: X,
    "sparse": lambda _: scipy.sparse.csr_matrix(X),
    "lists": lambda _: X.tolist(),
    "frame": lambda pandas: pandas.DataFrame(
        {"age": AGES, "color": pandas.Categorical(COLORS), "smokes": [bool(s) for s in SMOKES]}
    ),
    "dictionaries": lambda _: [{"age": a, "color": c, "smokes": s} for a, c, s, _ in ROWS],
}
TARGETS = {
    "lists": lambda _: (LABELS, None),
    "sets": lambda _: ([set(row) for row in LABELS], None),
    "matrix": lambda _: (Y.astype(int), ["a", "b"]),
    "sparse": lambda _: (scipy.sparse.csr_matrix(Y), ["a", "b"]),
    "frame": lambda pandas: (pandas.DataFrame(Y, columns=["a", "b"]), None),
}


@pytest.mark.parametrize("suffix", ["", ".npz", ".jsonl", ".csv", ".tsv", ".parquet", ".svm"])
@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("frame", sorted(FRAMES))
def test_what_is_written_is_read(tmp_path, frame, target, suffix):
    if "frame" in (frame, target):
        pandas = pytest.importorskip("pandas", reason="a DataFrame needs pandas")
    else:
        pandas = None
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    labels, label_names = TARGETS[target](pandas)
    of_columns = frame in ("frame", "dictionaries")
    table = (FRAMES[frame](pandas), labels, None if of_columns else FEATURES, label_names)
    if of_columns and suffix in (".npz", ".svm"):
        with pytest.raises(ValueError, match="Expected a matrix of numbers for the file"):
            write_table(tmp_path / f"t{suffix}", *table)
        return
    path = write_table(tmp_path / "new" / f"t{suffix}", *table)
    assert path.endswith(suffix or (".jsonl" if of_columns else ".npz"))
    prefix = "label:" if suffix in (".csv", ".tsv", ".parquet") else ""
    found = read(path, **({"labels": "label:*"} if prefix else {}))
    if suffix == ".svm":
        found["features"], found["label_names"] = FEATURES, ["a", "b"]
    order = [found["features"].index(name) for name in FEATURES]
    np.testing.assert_array_equal(found["x"][:, order], X)
    np.testing.assert_array_equal(found["labels"], Y)
    assert found["label_names"] == [f"{prefix}a", f"{prefix}b"]
    in_memory = matrices(TableReader().table_to_instances(*table))
    np.testing.assert_array_equal(in_memory["labels"], Y)
    order = [in_memory["features"].index(name) for name in FEATURES]
    np.testing.assert_array_equal(in_memory["x"][:, order], X)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [path.rpartition("/")[2]]


@pytest.mark.parametrize("suffix", [".npz", ".jsonl"])
def test_labels_that_never_occur_and_unknown_ones_are_kept(tmp_path, suffix):
    labels = np.array([[0, 0, 1], [0, np.nan, 0]])
    path = write_table(tmp_path / f"t{suffix}", X[:2], labels, label_names=["z", "m", "a"])
    found = read(path, missing_labels="mask")
    assert found["label_names"] == ["z", "m", "a"]
    np.testing.assert_array_equal(found["labels"], labels == 1)
    np.testing.assert_array_equal(found["mask"], ~np.isnan(labels))
    with pytest.raises(
        ValueError, match=r"(row|line) 2, column 'm': .* missing value; set missing"
    ):
        read(path)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, bool])
def test_an_array_keeps_its_dtype(tmp_path, dtype):
    written = np.array([[0, 1], [1, 0]], dtype=dtype)
    with np.load(write_table(tmp_path / "t", written, written)) as file:
        assert file["X"].dtype == file["Y"].dtype == dtype
    sparse = write_table(tmp_path / "s", scipy.sparse.csr_matrix(written), written)
    with np.load(sparse) as file:
        assert file["X_data"].dtype == dtype


def test_texts_that_look_like_numbers_stay_categories(tmp_path):
    rows = [{"zip": "0123", "name": ' a "b", '}, {"zip": "123", "name": "é\n"}]
    path = write_table(tmp_path / "t", rows, [["a"], ["b"]])
    assert read(path)["features"] == ["zip=0123", "zip=123", 'name= a "b", ', "name=é\n"]
    path = write_table(tmp_path / "t.csv", rows, [["a"], ["b"]])
    found = read(path, labels="label:*", categorical=["zip"])
    assert found["features"] == ["zip=0123", "zip=123", 'name= a "b", ', "name=é\n"]


MISSING = "age,color,y\n1,red,1\n,blue,0\nNA,,1\n4,red,0\n"


def test_missing_values(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(MISSING)
    found = read(path, labels="y")
    np.testing.assert_array_equal(found["x"][:, 0], [1, np.nan, np.nan, 4])
    np.testing.assert_array_equal(found["x"][:, 1:], [[0, 1], [1, 0], [0, 0], [0, 1]])
    found = read(path, labels="y", missing="indicator")
    assert found["features"] == ["age", "age=?", "color=blue", "color=red", "color=?"]
    np.testing.assert_array_equal(found["x"][:, 1], [0, 1, 1, 0])
    np.testing.assert_array_equal(found["x"][:, 4], [0, 0, 1, 0])
    with pytest.raises(ValueError, match="line 3, column 'age': expected a value"):
        read(path, labels="y", missing="error")
    path.write_text(MISSING.replace("NA", "-999"))
    found = read(path, labels="y", missing_values=["-999"])
    np.testing.assert_array_equal(found["x"][:, 0], [1, np.nan, np.nan, 4])
    table = np.array([[1, np.nan], [2.0, 3.0]])
    found = matrices(TableReader(missing="indicator").table_to_instances(table, [["a"], ["b"]]))
    assert found["features"] == ["x0", "x1", "x1=?"]
    np.testing.assert_array_equal(found["x"], [[1, np.nan, 1], [2, 3, 0]])


def test_a_model_reads_files_and_lines_as_its_training_data(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("id,age,color,code,y\n1,2,red,1,1\n2,,blue,2,0\n3,5,red,x,1\n")
    settings = {"labels": "y", "ignore": ["id"], "missing": "indicator", "categorical": ["code"]}
    vocab = Vocabulary.from_instances(list(TableReader(**settings).read(str(path))))
    features = names(vocab, "features")
    assert features == ["age", "age=?", "color=blue", "color=red", "code=1", "code=2", "code=x"]
    reader = TableReader(**settings).for_prediction(vocab)
    new = tmp_path / "new.csv"
    # In another order, with a new color, and with codes that are all numbers.
    new.write_text("code,color,age,note\n1,red,7,a\n2,green,,b\n")
    expected = np.array([[7, 0, 0, 1, 1, 0, 0], [np.nan, 1, 0, 0, 0, 1, 0]], dtype=np.float32)
    np.testing.assert_array_equal(matrices(list(reader.read(str(new))), vocab)["x"], expected)
    lines = [
        {"age": 7, "color": "red", "code": 1},
        {"color": "green", "code": "2", "age": None, "id": 9, "y": 1},
    ]
    nested = [{"features": {**line, "age": line.get("age")}} for line in lines]
    nested[1]["features"] = {"age": None, "color": "green", "code": 2.0}
    listed = [{"features": [7, "red", 1]}, {"features": [None, "green", 2]}]
    for given in (lines, nested, listed):
        found = [reader.json_to_instance(line, vocab) for line in given]
        np.testing.assert_array_equal(matrices(found, vocab)["x"], expected)
    for line in ({"color": "red"}, {"color": "red", "id": 9}):
        with pytest.raises(ValueError, match="Expected the 3 columns .* 'age', 'code'; give null"):
            reader.json_to_instance(line, vocab)
    absent = matrices([reader.json_to_instance({"features": {"color": "red"}}, vocab)], vocab)
    np.testing.assert_array_equal(absent["x"], [[0, 0, 0, 1, 0, 0, 0]])
    new.write_text("code,color\n1,red\n")
    with pytest.raises(ValueError, match="expected the feature 'age'"):
        matrices(list(reader.read(str(new))), vocab)
    # To evaluate on, labels and all, with what is known of the model.
    new.write_text("code,color,age,y\n1,green,7,1\n2,blue,1,0\n")
    found = matrices(list(TableReader(**settings).for_model(vocab).read(str(new))), vocab)
    np.testing.assert_array_equal(found["labels"], [[True], [False]])
    np.testing.assert_array_equal(found["x"][0], [7, 0, 0, 0, 1, 0, 0])


def test_the_first_data_decide_the_categories(tmp_path):
    train, validation = tmp_path / "train.csv", tmp_path / "validation.csv"
    train.write_text("color,y\nred,1\nblue,0\n")
    validation.write_text("color,y\ngreen,1\nblue,0\n")
    reader = TableReader(labels="y")
    both = [*reader.read(str(train)), *reader.read(str(validation))]
    found = matrices(both)
    assert found["features"] == ["color=blue", "color=red"]
    np.testing.assert_array_equal(found["x"][2:], [[0, 0], [1, 0]])


def test_a_slice_takes_its_categories_from_its_own_rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("color,y\n" + "".join(f"c{row},1\n" for row in range(10)))
    parts = [read(f"{path}[{part}]", labels="y") for part in (":60%", "60%:")]
    assert [len(part["x"]) for part in parts] == [6, 4]
    assert sorted(parts[0]["features"] + parts[1]["features"]) == [f"color=c{i}" for i in range(10)]


def test_a_pattern_reads_all_its_files(tmp_path):
    for number, color in enumerate(["red", "blue"]):
        (tmp_path / f"part-{number}.csv").write_text(f"color,tags\n{color},t{number}\n")
    found = read(tmp_path / "part-*.csv", labels="tags", label_separator=";")
    assert found["features"] == ["color=blue", "color=red"]
    np.testing.assert_array_equal(found["x"], [[0, 1], [1, 0]])
    np.testing.assert_array_equal(found["labels"], [[True, False], [False, True]])


def test_features_of_svmlight_that_a_file_lacks_are_zero(tmp_path):
    train, test = tmp_path / "a.svm", tmp_path / "b.svm"
    train.write_text("1 2:1 5:2\n2 5:1\n")
    test.write_text("1 5:3 9:1\n")
    vocab = Vocabulary.from_instances(list(TableReader().read(str(train))))
    found = matrices(list(TableReader().read(str(test))), vocab)
    np.testing.assert_array_equal(found["x"], [[0, 3]])
    np.testing.assert_array_equal(found["labels"], [[True, False]])


HEADER = "a,b,y\n1,red,1\n"
BAD = [
    (
        "t.csv",
        "a,b,y\n1,red,1\n2,blue\n",
        {},
        "line 3: expected 3 cells, as in the first line, got 2",
    ),
    ("t.csv", "a,b,y\n1,x,1\n2,y,0\n3,z,0\n4a,z,0\n", {}, "line 5, column 'a': expected a finite"),
    ("t.csv", 'a,b,y\n1,x,1\n"2,5",y,0\n3,z,0\n', {}, "column 'a': .*'2,5'; set 'decimal'"),
    (
        "t.csv",
        'a,b,y\n"0,25",x,1\n"2,5",y,0\n3,z,0\n',
        {},
        "line 2, .*'a': .*comma, such as '0,25'; .*',' of",
    ),
    (
        "t.csv",
        "a,b,y\n0.25,x,1\n3,y,0\n",
        {"decimal": ","},
        "decimal point, such as '0.25'; .*'.' of",
    ),
    ("t.jsonl", '{"a": "0,25", "labels": ["p"]}\n', {}, "decimal comma, .*; convert the column"),
    ("t.csv", "a,b,y\n1,x,1\nn/a,y,0\n3,z,0\n", {}, "'n/a'; add it to 'missing_values'"),
    ("t.csv", 'a,b,y\n1,"x,1\n2,y,0\n', {}, "line 2: expected cells separated by ',' with quotes"),
    ("t.csv", 'a,b,y\n1,"x"z,1\n', {}, "line 2: expected cells .*quote"),
    (
        "t.csv",
        "a;b;y\n1;2;1\n",
        {},
        "line 1: .*separated by ',', got one column .*'separator'.*';'",
    ),
    ("t.tsv", "a,b,y\n1,2,1\n", {}, r"separated by '\\t', got one column"),
    ("t.csv", "a,a,y\n1,2,1\n", {}, "line 1: .*got 'a' as column 1 and 2"),
    (
        "t.csv",
        HEADER.encode() + b"2,gr\xfcn,0\n",
        {},
        "line 3, byte 5: .* got the byte 0xfc; set 'enc",
    ),
    ("t.csv", HEADER.encode("utf-16"), {}, "byte order mark of utf-16; set 'encoding'"),
    ("t.csv", HEADER + "1e40,red,0\n", {}, "line 3, column 'a': expected a finite number"),
    ("t.csv", HEADER + "inf,red,0\n", {}, "line 3, column 'a': expected a finite number"),
    ("t.csv", HEADER + "2,red,2\n", {}, "line 3, column 'y': expected 0 or 1, got '2'"),
    (
        "t.csv",
        "a,y\n1,36.87\n2,4\n3,1\n",
        {},
        "line 2, .*'36.87'; choose other columns as 'labels'",
    ),
    ("t.csv", HEADER + "2,red,2\n3,red,0\n", {}, "got '2'; correct it, or choose other columns"),
    ("t.csv", "a,y,z\n1,n/a,1\n", {"labels": ["y", "z"]}, "'n/a'; .*'missing_values'.*, or choose"),
    ("t.csv", HEADER + "2,red,\n", {}, "line 3, column 'y': expected 0 or 1, got a missing value"),
    ("t.csv", HEADER + "2,red,p;q\n", {}, "column 'y': .* set 'label_separator'"),
    ("t.csv", HEADER, {"labels": "z*"}, r"'z\*', got the columns \['a', 'b', 'y'\]; set 'labels'"),
    ("t.csv", "a,y\n1,0\n", {"labels": "*"}, "expected columns of features beside"),
    ("t.csv", "a,b,y\n", {}, "expected rows after the header"),
    ("t.csv", HEADER, {"label_names": ["z"]}, r"as in 'label_names'.*got \['y'\]"),
    (
        "t.csv",
        "n,y\n" + "".join(f"t{i},1\n" for i in range(50)),
        {},
        "50 different texts in 50 rows",
    ),
    ("t.csv", "a,tags\n1,p;p\n", {"labels": "tags", "label_separator": ";"}, "each label once"),
    ("t.xlsx", HEADER, {}, "ends in one of .*set 'format'"),
    ("t.csv.gz", HEADER, {}, "expected a file that can be read, got: Not a gzipped"),
    (
        "t.jsonl",
        '{"a": 1, "labels": ["p"]}\n{"a": 1\n',
        {},
        "line 2: expected a dictionary in JSON",
    ),
    ("t.jsonl", '{"a": 1, "labels": ["p"]}\n[1]\n', {}, "line 2: expected a dictionary in JSON"),
    ("t.jsonl", '{"a": {}, "labels": ["p"]}\n', {}, "line 1, column 'a': expected a"),
    ("t.jsonl", '{"a": 1, "labels": "p"}\n', {}, "line 1, column 'labels'.*label_separator"),
    ("t.jsonl", '{"a": 1, "labels": [1.5]}\n', {}, "line 1, column 'labels': expected names"),
    ("t.jsonl", '{"features": [1], "labels": {"p": 2}}\n', {}, "expected 0 or 1 of the label 'p'"),
    ("t.jsonl", '{"features": [1], "labels": []}\n', {}, "expected rows with labels"),
    ("t.svm", "1 1:2\n1 1:x\n", {}, "line 2: expected 'INDEX:VALUE'.*got '1:x'"),
    ("t.svm", "1 1:2\n1 -1:2\n", {}, "line 2: expected indices of features from 0, got -1"),
    ("t.svm", "1 1:2 1:3\n", {}, "line 1: expected each feature once, got 1 twice"),
    ("t.svm", "a 1:2\n", {}, "line 1: expected labels as whole numbers"),
    ("t.svm", "1 1:nan\n", {}, "line 1: expected 'INDEX:VALUE'"),
    ("t.xmc", "1 1:2\n", {}, "line 1: expected the header 'POINTS FEATURES LABELS'"),
    ("t.xmc", "2 3 2\n1 1:2\n", {}, "expected 2 points, as its header says, got 1"),
    ("t.xmc", "1 3 2\n1 3:2\n", {}, "line 2: expected indices of features from 0 to 2, got 3"),
    ("t.xmc", "1 3 2\n2 1:2\n", {}, "line 2: expected labels from 0 to 1"),
    ("t.npz", "PK", {}, r"expected a \.npz file with the array 'X'"),
    ("t.parquet", "PAR1", {}, "expected a Parquet file"),
]


@pytest.mark.parametrize(("name", "content", "settings", "message"), BAD)
def test_a_bad_file_is_refused_with_its_place(tmp_path, name, content, settings, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if not name.endswith(("jsonl", "npz")):
        settings = {"labels": "y", **settings}
    with pytest.raises((ValueError, ConfigurationError), match=message) as error:
        read(path, **settings)
    said = str(error.value)
    assert type(error.value) in (ValueError, ConfigurationError)
    assert said.startswith(str(path)) and "\n" not in said and len(said) < 600


def bad_arrays():
    x, y = np.ones((2, 3)), np.ones((2, 1))
    sparse = {"X_data": np.ones(1), "X_indices": np.array([0]), "X_indptr": np.array([0, 1, 1])}
    return {
        "objects": ({"X": np.array([[{}]])}, "without objects"),
        "no X": ({"Y": y}, r"the array 'X', or .*got \['Y'\]"),
        "text": ({"X": np.array([["a"]]), "Y": y}, "expected numbers in the array 'X'"),
        "one dimension": ({"X": np.ones(2), "Y": y}, "2 dimensions"),
        "rows": ({"X": x, "Y": np.ones((3, 1))}, r"as many rows in 'Y' as in 'X' \(2\), got 3"),
        "names": ({"X": x, "Y": y, "feature_names": np.array(["a"])}, "expected 3 names"),
        "values": ({"X": x, "Y": 2 * y}, "row 1, label 'y0': expected 0 or 1, got 2"),
        "infinite": ({"X": x * np.inf, "Y": y}, "row 1, column 'x0': expected a finite"),
        "parts": ({**sparse, "Y": y}, "got no 'X_shape'"),
        "indices": (
            {**sparse, "X_indices": np.array([7]), "X_shape": np.array([2, 3]), "Y": y},
            "expected a sparse matrix 'X'",
        ),
    }


@pytest.mark.parametrize("kind", sorted(bad_arrays()))
def test_bad_arrays_are_refused(tmp_path, kind):
    arrays, message = bad_arrays()[kind]
    path = tmp_path / "t.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (([[1, 2], [3, 4]], [[1]]), r"as many rows in Y as in X \(2\), got 1"),
        (([1, 2], [[1], [0]]), "X as a matrix of numbers with 2 dimensions"),
        (([["a"], ["b"]], [["a"], ["b"]]), "X as a matrix of numbers"),
        (([[1]], ["a"]), "a list of labels in each row of Y, got 'a' in row 1"),
        (([[1]], [[1]], ["a", "b"]), "Expected 1 different feature_names"),
        (([[1]], [[1]], None, ["a", "b"]), "Expected 1 different label_names"),
        (([[1]], [["c"]], None, ["a", "b"]), "labels among label_names, got 'c' in row 1"),
    ],
)
def test_bad_tables_in_memory_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        TableReader().table_to_instances(*table)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"missing": "median"}, "missing .* one of .*got 'median'"),
        ({"missing_labels": "mean"}, "missing_labels"),
        ({"format": "xlsx"}, "format"),
        ({"decimal": ";"}, "decimal"),
        ({"separator": "::"}, "separator .* one character"),
        ({"label_separator": ""}, "label_separator"),
        ({"encoding": "utf-9"}, "encoding of a text"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        TableReader(**settings)


def test_a_table_without_a_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,2,1\n3,4,0\n")
    found = read(path, labels="column_3", header=False)
    assert found["features"] == ["column_1", "column_2"] and len(found["x"]) == 2


def test_tensors_of_a_missing_value_become_the_mean_in_the_model(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(MISSING)
    with pytest.raises(AssertionError):  # NaN until the model fills it
        tensors(TableReader(labels="y").read(str(path)))


def test_a_column_that_numbers_the_rows_is_named(tmp_path, caplog):
    path = tmp_path / "t.csv"
    path.write_text("id,a,y\n" + "".join(f"{row + 5},{row % 3},1\n" for row in range(12)))
    read(path, labels="y")
    assert "the column 'id' numbers the rows" in caplog.text and "'a'" not in caplog.text
