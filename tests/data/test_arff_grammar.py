"""The grammar of ARFF: what Weka's documentation allows is read, the rest is refused."""

import io
import os

import numpy as np
import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from scipy.io import arff as scipy_arff

from structured_energy.data import ArffReader
from structured_energy.data.arff import read_arff
from structured_energy.data.registry import available

HEADER = """@relation r
@attribute a numeric
@attribute b {no,yes}
@attribute c {0,1}
@data
"""
ROWS = "1.5,yes,1\n-2,no,0\n"


def read(tmp_path, text, **settings):
    """The header and the rows of numbers, those that a sparse row omits filled in."""
    path = tmp_path / "file.arff"
    content = text if isinstance(text, bytes) else text.encode(settings.get("encoding", "utf-8"))
    path.write_bytes(content)
    header, rows = read_arff(str(path), **settings)
    table = []
    for row in rows:
        numbers = np.array([attribute.first for attribute in header.attributes])
        numbers[row.attributes] = row.values
        table.append(numbers.tolist())
    return header, table


EXPECTED = [[1.5, 1, 1], [-2, 0, 0]]
ALLOWED = {
    "plain": HEADER + ROWS,
    "keywords in any case": HEADER.upper().replace("NO,YES", "no,yes") + ROWS,
    "byte order mark": "\ufeff" + HEADER + ROWS,
    "comments": "% a\n"
    + HEADER.replace("{no,yes}", "{no,yes} % or {maybe}").replace("numeric", "numeric % {1}")
    + "% {5}\n1.5,yes,1 % it's {5}\n  % more\n-2,no,0%\n",
    "no space before values": HEADER.replace("b {", "b{") + ROWS,
    "quotes after the keyword": HEADER.replace(" a numeric", "'a' numeric") + ROWS,
    "spaces and tabs in values": HEADER.replace("{no,yes}", "{ no ,\tyes }") + ROWS,
    "quoted values": HEADER.replace("{no,yes}", "{'no',\"yes\"}")
    + "'1.5','yes',1\n-2,\"no\",'0'\n",
    "tabs": HEADER + ROWS.replace(",", "\t"),
    "commas and tabs": HEADER + "1.5 ,\tyes,\t1\n-2\tno \t 0\n",
    "quotes and tabs": HEADER + "1.5\t'yes'\t1\n-2\t'no', 0\n",
    "ends of lines of Windows": (HEADER + ROWS).replace("\n", "\r\n"),
    "ends of lines of old Macs": (HEADER + ROWS).replace("\n", "\r"),
    "weights of 1": HEADER + "1.5,yes,1,{1}\n-2,no,0 {1.0}\n",
    "sparse": HEADER + "{0 1.5, 1 yes,2 1}\n{ 0 -2 }\n",
    "sparse with tabs": HEADER + "{0\t1.5,\t1 yes ,2\t1}\n{0 -2}\n",
    "sparse with quotes": HEADER + "{0 '1.5',1 \"yes\",2 1}\n{0 -2,1 'no'}\n",
    "sparse with weights": HEADER + "{0 1.5,1 yes,2 1}, {1}\n{0 -2} {1}\n",
    "sparse with comments": HEADER + "{0 1.5,1 yes,2 1} % {0 1}\n{0 -2} %\n",
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed_is_read(tmp_path, case):
    header, table = read(tmp_path, ALLOWED[case])
    assert [attribute.name.lower() for attribute in header.attributes] == ["a", "b", "c"]
    assert table == EXPECTED


def test_escapes_in_quotes(tmp_path):
    text = r"""@relation 'it\'s'
@attribute 'a\tb\\' {'\'x\'', "\"y\"", '100\%', '\u00e9', '\101'}
@attribute '' numeric
@data
'100%', 0
'\'x\'', 1
'A', 2
"é", 3
"""
    header, table = read(tmp_path, text)
    assert header.relation == "it's"
    assert [attribute.name for attribute in header.attributes] == ["a\tb\\", ""]
    assert header.attributes[0].values == ["'x'", '"y"', "100%", "é", "A"]
    assert table == [[2, 0], [0, 1], [4, 2], [3, 3]]


def test_a_quoted_question_mark_is_a_value(tmp_path):
    text = "@relation r\n@attribute a {'?',b}\n@attribute c {0,1}\n@data\n'?',?\n?,1\n"
    _, table = read(tmp_path, text)
    np.testing.assert_array_equal(table, [[0, np.nan], [np.nan, 1]])


REFUSED = {
    "empty value at the end": (HEADER.replace("{no,yes}", "{no,yes,}"), "line 3: .*got ''"),
    "empty value": (HEADER.replace("{no,yes}", "{no,,yes}"), "line 3: .*got ''"),
    "no values": (HEADER.replace("{no,yes}", "{}"), "line 3: .*got ''"),
    "value of two words": (HEADER.replace("no,", "not yes,"), "line 3: .*quotes.*got 'not yes'"),
    "equal values": (HEADER.replace("no,yes", "no,no"), "line 3: .*different values of 'b'"),
    "values not closed": (HEADER.replace("yes}", "yes % }"), "line 3: expected '}' at the end"),
    "after the values": (HEADER.replace("yes}", "yes} x"), "line 3: expected nothing after"),
    "weight of an attribute": (HEADER.replace("numeric", "numeric {2}"), "line 2: .*weight"),
    "after the type": (HEADER.replace("numeric", "numeric [0,1]"), r"line 2: .*got '\[0,1\]'"),
    "name of two words": (HEADER.replace(" a ", " a b "), "line 2: .*'a'.*the type 'b'"),
    "quote not closed": (HEADER.replace(" a ", " 'a "), "line 2: expected '@attribute NAME TYPE'"),
    "surrogate": (HEADER.replace(" a ", r" '\ud800' "), "line 2: expected an escape"),
    "after @data": (HEADER.replace("@data", "@data 1"), "line 5: expected nothing after @data"),
    "string": (HEADER.replace("numeric", "STRING"), "line 2: .*got the type 'STRING'; remove"),
    "date": (HEADER.replace("numeric", "date 'yyyy'"), "line 2: .*got the type 'date'; remove"),
    "relational": (HEADER.replace("numeric", "relational"), "line 2: .*type 'relational'; remove"),
    "orphan": (
        HEADER.replace("{0,1}", "hierarchical a,b/c"),
        "line 4: expected the parent 'b' of 'b/c'",
    ),
    "cycle": (
        HEADER.replace("{0,1}", "hierarchical root/a,a/b,b/c,c/a"),
        "line 4: expected a taxonomy without cycles, got 'a → b → c → a'",
    ),
    "term twice": (
        HEADER.replace("{0,1}", "hierarchical a,a/b,a/b"),
        "line 4: expected terms of different names, got 'a/b' twice",
    ),
    "unknown term": (
        HEADER.replace("{0,1}", "hierarchical a,a/b") + "1,yes,a@a/c\n",
        "line 6: expected terms of the attribute 'c', such as 'a@a/b', got 'a/c'",
    ),
    "underscore": (HEADER + "1_000,yes,1\n", "line 6: .*got '1_000'"),
    "underscore in a sparse row": (HEADER + "{0 1_000}\n", "line 6: .*got '1_000'"),
    "digits of another script": (HEADER + "\u0661,yes,1\n", "line 6: .*got '\u0661'"),
    "cell of two words": (HEADER + "1,not yes,1\n", "line 6: .*got 'not yes'"),
    "comma at the end": (HEADER + "1,yes,1,\n", "line 6: expected 3 values, got 4"),
    "quote inside a cell": (HEADER + "1,y'es,1\n", "line 6: expected quotes around a whole"),
    "cell not closed": (HEADER + "1,'yes,1\n", "line 6: expected quotes around a whole"),
    "weight": (
        HEADER + "1,yes,1,{5}\n",
        r"line 6: expected a row without a weight.*'\{5\}'; remove",
    ),
    "weight of a sparse row": (HEADER + "{0 1},{0.5}\n", "line 6: .*without a weight.*'{0.5}'"),
    "no weight": (HEADER + "1,yes,1,{x}\n", "line 6: .*without a weight.*'{x}'"),
    "after a sparse row": (HEADER + "{0 1} 5\n", "line 6: expected nothing after a sparse row"),
    "sparse comma at the end": (HEADER + "{0 1,}\n", "line 6: expected 'INDEX VALUE'"),
    "sparse index": (HEADER + "{0_0 1}\n", "line 6: .*got the index '0_0'"),
    "sparse cell of two words": (HEADER + "{0 1 1,1 yes}\n", "line 6: .*got '0 1 1'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_one_sentence_with_file_and_line(tmp_path, case):
    text, message = REFUSED[case]
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "file.arff"))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_encodings(tmp_path):
    text = HEADER.replace(" a ", " größe ") + ROWS
    with pytest.raises(ValueError, match="line 2: .*encoding 'utf-8'.*0xf6; set 'encoding'"):
        read(tmp_path, text.encode("latin-1"))
    for encoding in ("latin-1", "utf-16"):
        header, table = read(tmp_path, text, encoding=encoding)
        assert header.attributes[0].name == "größe"
        assert table == EXPECTED
    with pytest.raises(ConfigurationError, match="such as 'utf-8' or 'latin-1'.*got 'latin1000'"):
        ArffReader(encoding="latin1000")


def test_a_vocabulary_of_another_encoding_is_saved(tmp_path):
    path = tmp_path / "file.arff"
    path.write_bytes((HEADER.replace(" a ", " größe ") + ROWS).encode("latin-1"))
    reader = ArffReader(num_labels=1, encoding="latin-1")
    vocab = Vocabulary.from_instances(list(reader.read(str(path))))
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    saved = Vocabulary.from_files(str(tmp_path / "vocabulary"))
    assert "größe" in saved.get_token_to_index_vocabulary("features")


@pytest.mark.parametrize(
    "text",
    [ALLOWED["plain"], ALLOWED["keywords in any case"], "% a\n" + HEADER + "% b\n" + ROWS],
    ids=["plain", "keywords in any case", "lines of comments"],
)
def test_scipy_reads_the_same(tmp_path, text):
    expected, meta = scipy_arff.loadarff(io.StringIO(text))
    header, table = read(tmp_path, text)
    assert [attribute.name for attribute in header.attributes] == meta.names()
    for row, other in zip(table, expected.tolist(), strict=True):
        assert row == [other[0], other[1] == b"yes", float(other[2])]


@pytest.mark.parametrize("name", ["scene", "yeast"])
def test_scipy_reads_public_files_the_same(name):
    if not available(name):
        pytest.skip(f"STRUCTURED_ENERGY_DATA has no {name}")
    path = os.path.join(os.environ["STRUCTURED_ENERGY_DATA"], name, f"{name}-test.arff")
    expected, _ = scipy_arff.loadarff(path)
    _, rows = read_arff(path)
    for row, other in zip(rows, expected.tolist(), strict=True):
        assert row.values.tolist() == [float(value) for value in other]
