"""Tables in memory and matrices: what pandas and scipy make of the same values."""

import datetime
import decimal

import numpy as np
import pytest
import scipy.sparse
from allennlp.data import Vocabulary

from structured_energy.data import TableReader, names, write_table

Y = np.array([[1, 0], [0, 1], [1, 1]])


def features(instances):
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    rows = [instance.fields["x"].as_tensor({}).numpy() for instance in instances]
    return names(vocab, "features"), np.stack(rows)


def test_entries_of_one_place_are_added_as_scipy_does(tmp_path):
    entries = np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0]), np.array([0, 3, 3, 3])
    x = scipy.sparse.csr_matrix(entries, shape=(3, 2))
    assert np.array_equal(features(TableReader().table_to_instances(x, Y))[1], x.toarray())
    path = write_table(tmp_path / "x", x, Y)
    assert np.array_equal(features(list(TableReader().read(path)))[1], x.toarray())


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_a_sparse_matrix_of_the_caller_stays_as_it_is(tmp_path, index):
    x = scipy.sparse.csr_matrix(np.arange(1.0, 7.0).reshape(3, 2))
    x.data[2] = 0  # which is stored
    x.indices, x.indptr = x.indices.astype(index), x.indptr.astype(index)
    stored, before = x.nnz, x.toarray()
    write_table(tmp_path / "x", x, Y)
    assert x.nnz == stored and np.array_equal(x.toarray(), before)


@pytest.mark.parametrize("suffix", ["", ".csv", ".parquet", "memory"])
def test_times_are_text_and_decimals_are_numbers(tmp_path, suffix):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is optional")
    frame = pandas.DataFrame(
        {
            "price": [decimal.Decimal("1.5"), decimal.Decimal("2"), None],
            "day": [
                datetime.date(2020, 1, 2),
                datetime.date(2020, 1, 3),
                datetime.date(2020, 1, 2),
            ],
            "at": pandas.to_datetime(["2020-01-01 12:00", "2020-01-01 12:00", "2021-01-01 00:00"]),
        }
    )
    if suffix == "memory":
        instances = TableReader().table_to_instances(frame, Y)
    else:
        path = write_table(tmp_path / f"x{suffix}", frame, Y)
        settings = {} if not suffix else {"labels": "label:*"}
        instances = list(TableReader(**settings).read(path))
    found, x = features(instances)
    assert found == [
        "price",
        "day=2020-01-02",
        "day=2020-01-03",
        "at=2020-01-01 12:00:00",
        "at=2021-01-01 00:00:00",
    ]
    expected = [[1.5, 1, 0, 1, 0], [2, 0, 1, 1, 0], [np.nan, 1, 0, 0, 1]]
    assert np.array_equal(x, expected, equal_nan=True)


def test_a_frame_of_numbers_is_written_as_a_matrix(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    frame = pandas.DataFrame({"b": [1, 2, 3], "a": [0.5, None, 2], "on": [True, False, True]})
    truth = pandas.DataFrame(Y, columns=["yes", "no"])
    for X, truth_ in ((frame, truth), (frame.to_dict("records"), Y)):
        path = write_table(tmp_path / "x.npz", X, truth_)
        with np.load(path) as file:
            assert file["feature_names"].tolist() == ["b", "a", "on"]
            assert np.array_equal(file["X"], frame.astype(float), equal_nan=True)
        found, x = features(list(TableReader().read(path)))
        assert found == ["b", "a", "on"]
        assert np.array_equal(x, frame.astype(np.float32), equal_nan=True)
    with pytest.raises(ValueError, match="got 'red' in the column 'colour'; write .jsonl"):
        write_table(tmp_path / "y.npz", frame.assign(colour=["red", "blue", "red"]), truth)


def test_lists_of_labels_in_a_series_or_an_array(tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    lists = [["b"], [], ["a", "b"]]
    array = np.empty(3, dtype=object)
    array[:] = lists
    for labels in (lists, pandas.Series(lists, index=[7, 8, 9]), array):
        path = write_table(tmp_path / "x", np.ones((3, 1)), labels)
        on = [i.fields["labels"].human_readable_repr() for i in TableReader().read(path)]
        assert [list(each) for each in on] == lists


def test_rows_that_do_not_belong_together_are_refused():
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    frame, truth = pandas.DataFrame({"a": [1, 2, 3]}), pandas.DataFrame(Y, columns=["b", "c"])
    with pytest.raises(ValueError, match="same index in another order"):
        TableReader().table_to_instances(frame, truth[::-1])
    reader = TableReader()
    assert len(reader.table_to_instances(frame, truth.set_axis([5, 6, 7]))) == 3  # by place


@pytest.mark.parametrize(
    "X, labels, settings, message",
    [
        ([[1.0]], [["a", None]], {}, r"names of labels in row 1 of Y, got \['a', None\]"),
        ([[1.0]], [["a", float("nan")]], {}, "names of labels in row 1 of Y"),
        ([[1.0]], [[1, 0]], {"label_names": ["a", "a"]}, "2 different label_names"),
        ([[1.0, 2.0]], [[1]], {"feature_names": ["a", "a"]}, "2 different feature_names"),
    ],
)
def test_labels_and_names_that_are_none(tmp_path, X, labels, settings, message):
    with pytest.raises(ValueError, match=message):
        write_table(tmp_path / "x", X, labels, **settings)


def test_a_cell_that_json_lacks_is_named(tmp_path):
    X = [{"a": 1, "b": 2j}, {"a": 2, "b": object()}]
    with pytest.raises(
        ValueError, match="^X, row 1, column 'b': expected a number or text, got 2j"
    ):
        write_table(tmp_path / "t", X, [["p"], ["q"]])


def test_infinite_numbers_are_no_category():
    X = [{"a": i, "temp": np.inf} for i in range(4)]
    with pytest.raises(ValueError, match="^X, row 1, column 'temp': expected a finite number"):
        TableReader().table_to_instances(X, [["p"]] * 4)


def test_bytes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="X, row 2, column 'a': expected a number or text"):
        write_table(tmp_path / "x", [{"a": 1}, {"a": b"x"}], [["y"], ["z"]])
    assert list(tmp_path.iterdir()) == []


def test_settings_of_columns_hold_for_matrices(tmp_path):
    x = np.array([[7.0, 1.0], [8.0, 2.0], [9.0, 3.0]])
    path = write_table(tmp_path / "x", x, Y, feature_names=["id", "a"], label_names=["p", "q"])
    found, read = features(list(TableReader(ignore=["id"]).read(path)))
    assert found == ["a"] and np.array_equal(read, x[:, 1:])
    with pytest.raises(ValueError, match="'categorical' of the dataset reader .'a'., got a matrix"):
        list(TableReader(categorical=["a"]).read(path))
    instances = list(TableReader(label_names=["q", "r", "p"]).read(path))
    assert names(Vocabulary.from_instances(instances), "labels") == ["q", "r", "p"]
    on = [set(instance.fields["labels"].human_readable_repr()) for instance in instances]
    assert on == [{"p"}, {"q"}, {"p", "q"}]
    with pytest.raises(ValueError, match="'label_names' of the dataset reader, got 'p'"):
        list(TableReader(label_names=["q"]).read(path))


@pytest.mark.parametrize("key", ["ignore", "categorical"])
@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_a_setting_that_names_no_column_is_refused(tmp_path, key, suffix):
    path = write_table(tmp_path / f"x{suffix}", [[1.0, 2.0]] * 3, Y, feature_names=["age", "zip"])
    with pytest.raises(ValueError, match=f"a column 'zipp', as in '{key}' of the dataset reader"):
        list(TableReader(labels="label:*", **{key: ["zipp"]}).read(path))
