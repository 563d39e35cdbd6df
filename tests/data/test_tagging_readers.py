"""Readers of tags: the standards' own rules, and errors that say file and line."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_utils.span_utils import to_bioul
from hypothesis import given
from hypothesis import strategies as st

from structured_energy.data import Conll2012RoleReader, SemanticRoleReader, TaggingConllReader
from structured_energy.data.conll import Sentence
from structured_energy.data.registry import available
from structured_energy.data.tag_encodings import convert, read_spans
from structured_energy.span_encodings import ENCODINGS
from structured_energy.testing import write_conllu

# A multi-word token, an empty node, comments, and two more columns than the standard's: the sense
# of a predicate, and roles.
CONLLU = """\
# sent_id = 1
# text = I haven't seen
1\tI\tI\tPRON\tPRP\t_\t4\tnsubj\t_\t_\t_\tARG0
2-3\thaven't\t_\t_\t_\t_\t_\t_\t_\t_\t_\t_
2\thave\thave\tAUX\tVBP\t_\t4\taux\t_\t_\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_\t_\tARGM-NEG
4\tseen\tsee\tVERB\tVBN\t_\t0\troot\t_\t_\tsee.01\tV
4.1\tit\tit\tPRON\tPRP\t_\t_\t_\t4:obj\tCopyOf=-1

# sent_id = 2
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_\t\t
"""


def write(tmp_path, text, name="data.conll"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read(reader, path):
    return [
        ([token.text for token in instance["x"].tokens], instance["labels"].labels)
        for instance in reader.read(path)
    ]


def test_columns(tmp_path):
    path = write(tmp_path, "\ufeffthe X D\r\ndog Y N\r\n\r\n\r\n#fun Z N")
    sentences = [(["the", "dog"], ["D", "N"]), (["#fun"], ["N"])]
    assert read(TaggingConllReader(), path) == sentences
    assert read(TaggingConllReader(separator="space", tag_column=1), path) == [
        (["the", "dog"], ["X", "Y"]),
        (["#fun"], ["Z"]),
    ]
    assert read(TaggingConllReader(comment="#"), path) == sentences[:1]
    mask = next(iter(TaggingConllReader().read(path)))["mask"]
    assert mask.tensor.tolist() == [True, True]


def test_conllu_leaves_out_what_is_no_word(tmp_path):
    path = write(tmp_path, CONLLU)
    reader = TaggingConllReader(conllu=True, token_column=1, tag_column=3)
    assert read(reader, path) == [
        (["I", "have", "n't", "seen"], ["PRON", "AUX", "PART", "VERB"]),
        (["Yes"], ["INTJ"]),
    ]


def test_parts_of_speech_are_read(tmp_path):
    path = write(tmp_path, "the DT B-NP\ndog NN I-NP\n")
    reader = TaggingConllReader(pos_column=1)
    (instance,) = reader.read(path)
    assert instance["labels"].labels == ["B-NP", "I-NP"]
    line = {"tokens": ["the", "dog"], "pos": ["DT", "NN"]}
    for made in (
        instance,
        reader.json_to_instance(line, None),
        reader.value_to_instance(line, None),
    ):
        assert [token.pos_ for token in made["x"].tokens] == ["DT", "NN"]
    for pos in (None, ["DT"], [1, 2], "DT NN"):
        with pytest.raises(ValueError, match="'pos', the part of speech of each of its 2 tokens"):
            reader.json_to_instance({**line, "pos": pos}, None)
    with pytest.raises(ValueError, match="line 1: expected the column 5, got 3 columns"):
        list(TaggingConllReader(pos_column=5).read(path))


@pytest.mark.parametrize("tags", [["X"], "XY", [1, 2], {"tags": 1}, 3])
def test_tags_in_memory_are_one_text_for_each_token(tags):
    reader = TaggingConllReader()
    good = reader.value_to_instance(["a", "b"], Vocabulary(), ("X", "Y"))
    assert good["labels"].labels == ["X", "Y"]
    with pytest.raises(ValueError, match="Expected a list of 2 tags, a text for each token"):
        reader.value_to_instance(["a", "b"], Vocabulary(), tags)
    with pytest.raises(ValueError, match="Expected a sentence, a text or a list of tokens, .* int"):
        reader.value_to_instance(3, Vocabulary())


@pytest.mark.data
def test_the_chunks_of_conll2000_are_the_published_ones():
    if not available("conll2000"):
        pytest.skip("STRUCTURED_ENERGY_DATA has no conll2000")
    # The counts of the shared task: sentences, tokens and chunks.
    reader = TaggingConllReader(pos_column=1, encoding="BIO")
    for part, expected in (("train", (8936, 211727, 106978)), ("test", (2012, 47377, 23852))):
        sentences = [i["labels"].labels for i in reader.read(f"data://conll2000/{part}")]
        tags = [tag for sentence in sentences for tag in sentence]
        assert (len(sentences), len(tags), sum(tag[0] == "B" for tag in tags)) == expected


@pytest.mark.parametrize("bio", [False, True])
def test_one_instance_for_each_predicate(tmp_path, bio):
    (instance,) = SemanticRoleReader(bio=bio).read(write(tmp_path, CONLLU))
    roles = ["ARG0", "_", "ARGM-NEG", "V"]
    if bio:
        roles = ["B-ARG0", "O", "B-ARGM-NEG", "B-V"]
    assert instance["labels"].labels == roles
    assert [token.type_id for token in instance["x"].tokens] == [0, 0, 0, 1]


# Two predicates in the first sentence, none in the second one.
CONLL2012 = """\
#begin document (a/b); part 000
a/b 0 0 She PRP (TOP(S(NP*) - - - - * (ARG0*) * (1)
a/b 0 1 wants VBZ (VP* want 01 1 - * (V*) * -
a/b 0 2 to TO (S(VP* - - - - * (ARG1* * -
a/b 0 3 see VB (VP* see 01 1 - * * (V*) -
a/b 0 4 # # (NP* - - - - * * (ARG1* -
a/b 0 5 films NNS *)))))) - - - - * *) *) -

a/b 0 0 Yes UH (TOP*) - - - - * -

#end document
"""


@pytest.mark.parametrize("encoding", ["BIO", "BIOUL"])
def test_roles_of_conll_2012_are_spans(tmp_path, encoding):
    instances = list(Conll2012RoleReader(encoding=encoding).read(write(tmp_path, CONLL2012)))
    bio = [
        ["B-ARG0", "B-V", "B-ARG1", "I-ARG1", "I-ARG1", "I-ARG1"],
        ["O", "O", "O", "B-V", "B-ARG1", "I-ARG1"],
    ]
    expected = bio if encoding == "BIO" else [to_bioul(tags, "BIO") for tags in bio]
    assert [instance["labels"].labels for instance in instances] == expected
    for instance, predicate in zip(instances, (1, 3), strict=True):
        tokens = instance["x"].tokens
        assert [token.text for token in tokens] == ["She", "wants", "to", "see", "#", "films"]
        assert [token.type_id for token in tokens] == [int(i == predicate) for i in range(6)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(ARG0*)", "(ARG0*", "line 3: expected a span in brackets, .* got .* inside of .ARG0"),
        ("* (ARG0*) *", "* *) *", "line 2: expected a span in brackets"),
        ("(ARG0*)", "ARG0", "line 2: expected a span in brackets, .* column 12, got 'ARG0'"),
        ("*) *) -", "* *) -", "line 7: expected the end of the span .ARG1 in column 12"),
        ("(V*) * -", "* * -", "line 2: expected a predicate, .* in column 12"),
        ("- - - - * -\n", "-\n", "line 9: expected at least 12 columns, as in CoNLL-2012, got 7"),
    ],
)
def test_bad_roles_of_conll_2012_are_named(tmp_path, old, new, message):
    assert old in CONLL2012
    path = write(tmp_path, CONLL2012.replace(old, new))
    with pytest.raises(ValueError, match=message):
        list(Conll2012RoleReader().read(path))


def test_without_predicates_of_conll_2012_it_says_so(tmp_path):
    text = CONLL2012[CONLL2012.index("a/b 0 0 Yes") :]
    with pytest.raises(ValueError, match="expected predicates, .* from column 12"):
        list(Conll2012RoleReader().read(write(tmp_path, text)))
    with pytest.raises(ConfigurationError, match="'encoding' of the reader 'srl-conll2012'"):
        Conll2012RoleReader(encoding="BILOU")


SPANS = st.lists(st.tuples(st.sampled_from(["O", "X", "Y"]), st.integers(1, 3)), max_size=6)


def nowhere(tags):
    return Sentence("file", [[tag] for tag in tags], list(range(1, len(tags) + 1)))


@given(SPANS)
def test_encodings_lead_into_each_other(pieces):
    bio = []
    for label, length in pieces:
        places = "O" * length if label == "O" else "B" + "I" * (length - 1)
        bio += ["O" if label == "O" else f"{place}-{label}" for place in places]
    expected = {"BIO": bio, "BIOUL": to_bioul(bio, "BIO")}  # AllenNLP's
    expected["IOB1"] = [
        f"I-{tag[2:]}" if tag[0] == "B" and (at == 0 or bio[at - 1][2:] != tag[2:]) else tag
        for at, tag in enumerate(bio)
    ]
    expected["IOBES"] = expected["BIOES"] = [
        "O" if tag == "O" else tag[0].translate(str.maketrans("LU", "ES")) + tag[1:]
        for tag in expected["BIOUL"]
    ]
    for source in ENCODINGS:
        for target in ENCODINGS:
            tags = expected[source]
            assert convert(tags, source, target, nowhere(tags)) == expected[target]
    assert len(read_spans(bio, "BIO", nowhere(bio))) == sum(label != "O" for label, _ in pieces)


@pytest.mark.parametrize(
    ("encoding", "tags", "line", "found"),
    [
        ("BIO", ["O", "I-X"], 2, "'I-X' after O"),
        ("BIO", ["I-X"], 1, "'I-X' after the beginning"),
        ("BIO", ["B-X", "I-Y"], 2, "'I-Y' after B-X"),
        ("BIO", ["B-X", "U-X"], 2, "'U-X'"),
        ("BIO", ["X"], 1, "'X'"),
        ("BIO", ["O-X"], 1, "'O-X'"),
        ("BIO", ["B-"], 1, "'B-'"),
        ("BIO", ["B"], 1, "'B'"),
        ("BIO", ["BI-X"], 1, "'BI-X'"),
        ("BIO", ["-X"], 1, "'-X'"),
        ("IOB1", ["L-X"], 1, "'L-X'"),
        ("BIOUL", ["B-X", "O"], 2, "'O' after B-X"),
        ("BIOUL", ["O", "B-X"], 2, "'O' after B-X"),
        ("BIOUL", ["L-X"], 1, "'L-X' after the beginning"),
        ("BIOUL", ["B-X", "L-Y"], 2, "'L-Y' after B-X"),
        ("BIOUL", ["B-X", "U-X"], 2, "'U-X' after B-X"),
        ("BIOUL", ["S-X"], 1, "'S-X'"),
        ("IOBES", ["B-X", "O"], 2, "'O' after B-X"),
        ("IOBES", ["E-X"], 1, "'E-X' after the beginning"),
        ("BIOES", ["B-X", "S-X"], 2, "'S-X' after B-X"),
        ("BIOES", ["U-X"], 1, "'U-X'"),
    ],
)
def test_what_is_not_of_the_encoding_is_named(encoding, tags, line, found):
    with pytest.raises(ValueError, match="expected a tag of the encoding") as error:
        read_spans(tags, encoding, nowhere(tags))
    assert f"file, line {line}:" in str(error.value) and found in str(error.value)


@pytest.mark.parametrize(
    ("settings", "text", "line", "message"),
    [
        ({}, "a X\nb\n", 2, "expected 2 columns, as in the sentence's first line, got 1 in 'b'"),
        ({}, b"a X\n\xff\xfe X\n", 2, "expected text in UTF-8"),
        ({"separator": "tab"}, "a\tX\n\tY\n", 2, "got column 1 of ' Y' empty"),
        ({"tag_column": 2}, "\na X\n", 2, "the column 2, got 2 columns"),
        ({"encoding": "BIO"}, "a O\nb I-X\n", 2, "the encoding BIO, got 'I-X' after O"),
        ({"conllu": True}, "1\ta\tX\n", 1, "at least 10 columns"),
        ({"conllu": True}, CONLLU.replace("\n2\t", "\n3\t"), 5, "expected the ID 2, got '3'"),
        ({"conllu": True}, CONLLU.replace("\n2\t", "\nx\t"), 5, "expected the ID 2, got 'x'"),
    ],
)
def test_a_bad_line_is_named(tmp_path, settings, text, line, message):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match="expected") as error:
        list(TaggingConllReader(**settings).read(path))
    assert str(error.value).startswith(f"{path}, line {line}: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_roles_without_their_column_are_named(tmp_path):
    path = write(
        tmp_path,
        CONLLU.replace(
            "I\tPRON\tPRP\t_\t4\tnsubj\t_\t_\t_", "I\tPRON\tPRP\t_\t4\tnsubj\t_\t_\tbe.01"
        ),
    )
    with pytest.raises(ValueError, match="line 3: expected a column of roles for each of 2 pred"):
        list(SemanticRoleReader().read(path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"separator": "comma"}, "got 'comma'"),
        ({"conllu": True, "separator": "tab"}, "where 'conllu' is true"),
        ({"encoding": "BILOU"}, "'encoding' of the reader 'tagging-conll' to be one of"),
        ({"convert_to": "BIO"}, "Expected the 'encoding' of the files"),
        ({"pos_column": -1}, "neither the 'token_column' nor the 'tag_column', got -1"),
    ],
    ids=str,
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        TaggingConllReader(**settings)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match="Expected files at"):
        list(TaggingConllReader().read(str(tmp_path / "none*.conll")))


def test_a_predicate_outside_the_sentence_is_named():
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        SemanticRoleReader().text_to_instance(["a", "b"], 2)


def test_they_are_registered():
    assert DatasetReader.by_name("tagging-conll") is TaggingConllReader
    assert DatasetReader.by_name("srl-conllu") is SemanticRoleReader


@pytest.mark.parametrize("num_workers", [0, 2])
def test_every_sentence_is_read_once_by_any_number_of_workers(tmp_path, num_workers):
    path = write_conllu(tmp_path, "data", 11)
    reader = TaggingConllReader(conllu=True, token_column=1, tag_column=3)
    expected = sorted(" ".join(words) for words, _ in read(reader, str(path)))
    loader = MultiProcessDataLoader(reader, str(path), batch_size=4, num_workers=num_workers)
    found = [" ".join(t.text for t in i["x"].tokens) for i in loader.iter_instances()]
    assert sorted(found) == expected
    vocab = Vocabulary.from_instances(loader.iter_instances())
    loader.index_with(vocab)
    batches = list(loader)
    assert sum(len(batch["labels"]) for batch in batches) == 11
    for batch in batches:
        assert batch["mask"].dtype == torch.bool
        assert (batch["mask"] == (batch["x"]["tokens"]["tokens"] > 0)).all()
