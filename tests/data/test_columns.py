"""Files of columns: ends of lines, separators, marks, and the columns of tokens and tags."""

import re

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary

from structured_energy.data import SemanticRoleReader, TaggingConllReader
from structured_energy.data.registry import available
from structured_energy.testing import write_conllu

WORD = "\t".join(["1", "dog", "dog", "NOUN", "NN", *"_____"])
NOUN_PHRASE = [(["a", "b"], ["X", "Y"]), (["c"], ["Z"])]


@pytest.fixture()
def file(tmp_path):
    def write(text):
        path = tmp_path / "data.conll"
        path.write_bytes(text.encode())
        return str(path)

    return write


def sentences(reader, path):
    return [
        ([token.text for token in instance["x"].tokens], instance["labels"].labels)
        for instance in reader.read(path)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("last", [True, False])
def test_every_end_of_line_of_the_three_systems_ends_a_line(file, end, last):
    path = file(end.join(["a X", "b Y", "", "c Z", *[""] * last]))
    assert sentences(TaggingConllReader(), path) == NOUN_PHRASE


def test_lines_are_counted_by_the_same_ends(file):
    path = file("a X\rb Y\r\n\nc")
    with pytest.raises(ValueError, match="line 4: expected a token and a tag"):
        sentences(TaggingConllReader(), path)


@pytest.mark.parametrize("space", "\u00a0\u3000\u2028\u0085\u000b\u000c\u001c", ids=ascii)
@pytest.mark.parametrize("separator", [" ", "\t", "  \t "], ids=repr)
def test_only_the_separator_separates(file, space, separator):
    rows = [(f"10{space}000", "X"), (space, "Y"), (f"{space}a{space}", f"Z{space}")]
    path = file("".join(f"{separator.join(row)}\n" for row in rows))
    tokens, tags = (list(column) for column in zip(*rows, strict=True))
    assert sentences(TaggingConllReader(), path) == [(tokens, tags)]


def test_a_line_of_spaces_and_tabs_is_blank_and_no_other(file):
    assert sentences(TaggingConllReader(), file("a X\nb Y\n \t\nc Z\n")) == NOUN_PHRASE
    with pytest.raises(ValueError, match=r"line 2: expected 2 columns, .* got 1 in '\\xa0'"):
        sentences(TaggingConllReader(), file("a X\n\u00a0\nb Y\n"))


def test_a_token_may_have_the_separators_of_other_files(file):
    path = file("New York\tX\n \tY\n")
    assert sentences(TaggingConllReader(separator="tab"), path) == [(["New York", " "], ["X", "Y"])]
    path = file("New\tYork X\n")
    assert sentences(TaggingConllReader(separator="space"), path) == [(["New\tYork"], ["X"])]


def test_separators_at_the_end_of_a_line_add_no_column(file):
    for separator, text in (("any", "a X \t\nb Y\n"), ("tab", "a\tX\t\t\nb\tY\n")):
        reader = TaggingConllReader(separator=separator)
        assert sentences(reader, file(text)) == NOUN_PHRASE[:1]


@pytest.mark.parametrize(
    ("separator", "text", "line", "column"),
    [
        ("any", "\tO\n", 1, 1),
        ("any", "a X\n X\n", 2, 1),
        ("tab", "\tO\n", 1, 1),
        ("tab", "a\tX\nb\t\n", 2, 2),
        ("tab", "a\t\tX\n", 1, 2),
        ("space", "a  X\n", 1, 2),
    ],
)
def test_an_empty_column_is_named(file, separator, text, line, column):
    with pytest.raises(ValueError, match=f"line {line}: .* got column {column} of .* empty"):
        sentences(TaggingConllReader(separator=separator), file(text))


@pytest.mark.parametrize(
    ("settings", "text", "columns"),
    [
        ({}, "\na\nb\n", "got 1 in 'a', so that both are column 1"),
        ({"separator": "space"}, "\na\tX\n", r"got 1 in 'a\\tX', so that both are column 1"),
        ({"separator": "tab"}, "\na X\n", "got 1 in 'a X', so that both are column 1"),
        ({"token_column": 1}, "\na X\n", "got 2 in 'a X', so that both are column 2"),
        ({"tag_column": -3}, "\na X Y\n", "got 3 in 'a X Y', so that both are column 1"),
    ],
)
def test_a_token_that_is_its_own_tag_is_refused(file, settings, text, columns):
    with pytest.raises(ValueError, match=f"line 2: expected a token and a tag .* {columns}"):
        sentences(TaggingConllReader(**settings), file(text))


def test_the_columns_of_conllu_are_its_words_and_universal_tags(file):
    path = file(f"# text = dog\n{WORD}\n")
    assert sentences(TaggingConllReader(conllu=True), path) == [(["dog"], ["NOUN"])]
    assert sentences(TaggingConllReader(conllu=True, tag_column=4), path) == [(["dog"], ["NN"])]
    found = sentences(TaggingConllReader(conllu=True, token_column=3, tag_column=0), path)
    assert found == [(["NOUN"], ["1"])]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"token_column": 1, "tag_column": 1}, "different numbers .* got 1 for both"),
        ({"conllu": True, "token_column": 3}, "different numbers .* got 3 for both"),
        ({"conllu": True, "keep_docstart": True}, "'conllu' is true, got 'any', None and True"),
    ],
    ids=str,
)
def test_columns_that_do_not_fit_together_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        DatasetReader.from_params(Params({"type": "tagging-conll", **settings}))


def test_a_document_is_no_sentence(file):
    path = file(
        "-DOCSTART- -X- -X- O\n\na X X X\nb Y Y Y\n\n-DOCSTART- (2)\nc Z Z Z\n-DOCSTART-\n\n"
    )
    assert sentences(TaggingConllReader(), path) == NOUN_PHRASE
    path = file("-DOCSTART- O\n\na X\nb Y\n")
    expected = [(["-DOCSTART-"], ["O"]), *NOUN_PHRASE[:1]]
    assert sentences(TaggingConllReader(keep_docstart=True), path) == expected


def test_a_byte_order_mark_is_no_text(file):
    """Files that were joined have one at the start of each."""
    path = file("\ufeffa X\nb Y\n\n\ufeffc Z\n\ufeff\n\ufeff-DOCSTART- O\n")
    assert sentences(TaggingConllReader(), path) == NOUN_PHRASE
    path = file(f"\ufeff# text\n{WORD}\n\n\ufeff# text\n{WORD}\n")
    assert sentences(TaggingConllReader(conllu=True), path) == [(["dog"], ["NOUN"])] * 2


def test_what_cannot_be_seen_is_shown(file):
    with pytest.raises(ValueError, match=r"got 2 in 'a\\ufeffb X'"):
        sentences(TaggingConllReader(), file("a X Y\na\ufeffb X\n"))


def test_a_zero_byte_is_no_text(file):
    with pytest.raises(ValueError, match=r"line 2: expected text in UTF-8, got the bytes b'\\x00"):
        sentences(TaggingConllReader(), file("a X\nb\0 Y\n"))


def test_digits_of_other_scripts_are_no_ids(file):
    with pytest.raises(ValueError, match="expected the ID 1"):
        sentences(TaggingConllReader(conllu=True), file("\u0661" + WORD[1:]))


@pytest.mark.parametrize("rows", [WORD, f"{WORD}\t_", f"{WORD}\t_\n\n{WORD}"])
def test_sentences_without_a_predicate_are_refused(file, rows):
    path = file(f"{rows}\n")
    with pytest.raises(ValueError, match="expected predicates, .* got none") as error:
        sentences(SemanticRoleReader(), path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_sentence_without_a_predicate_is_left_out(file):
    path = file(f"{WORD}\n\n{WORD}\tbark.01\tV\n")
    assert sentences(SemanticRoleReader(), path) == [(["dog"], ["V"])]


@pytest.mark.parametrize("reader", ["tagging-conll", "srl-conllu"])
def test_a_tag_that_training_did_not_have_is_named(tmp_path, reader):
    settings = {"conllu": True} if reader == "tagging-conll" else {}
    made = DatasetReader.from_params(Params({"type": reader, **settings}))
    path = write_conllu(tmp_path, "data", 4)
    vocab = Vocabulary.from_instances(made.read(str(path)))
    text = path.read_text()
    for known in ("\tPRON\t", "\tARG0\t"):
        text = text.replace(known, "\tNEW\t")
    path.write_text(text)
    with pytest.raises(ValueError, match="expected one of the tags") as error:
        for instance in made.read(str(path)):
            instance.index_fields(vocab)
    message = str(error.value)
    assert message.startswith(f"{path}, line 1: ") and "got 'NEW';" in message
    known = re.search(r"\((.*)\)", message)[1].split(", ")
    assert set(known) == set(vocab.get_token_to_index_vocabulary("labels"))


def test_an_unseen_tag_of_a_sentence_without_a_file_is_named():
    reader = TaggingConllReader()
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    vocab.add_token_to_namespace("X", "labels")
    with pytest.raises(ValueError, match=r"token 1: .* \(X\), got 'Y'"):
        reader.text_to_instance(["a", "b"], ["X", "Y"])["labels"].index(vocab)


def test_an_unseen_tag_is_unknown_where_the_vocabulary_says_so():
    reader = TaggingConllReader()
    vocab = Vocabulary(non_padded_namespaces=[])
    vocab.add_token_to_namespace("X", "labels")
    labels = reader.text_to_instance(["a", "b"], ["X", "Y"])["labels"]
    labels.index(vocab)
    assert labels.as_tensor(labels.get_padding_lengths()).tolist() == [2, 1]


@pytest.mark.parametrize("separator", ["any", "tab"])
@pytest.mark.skipif(not available("twpos"), reason="needs twpos")
def test_twpos_is_the_same_by_any_separator(separator):
    """It has the no-break space as a token, which is white space and no separator."""
    counts = {"train": 1000, "validation": 327, "test": 500, "daily547": 547}
    for split, count in counts.items():
        reader = TaggingConllReader(separator=separator)
        assert len(sentences(reader, f"data://twpos/{split}")) == count
