"""Files and lines that are generated, right ones and wrong ones: each is read, or ends in one of
our sentences, and what was read is what was written.

`make fuzz` tries 10,000 of each kind.
"""

import csv
import io
import json

import numpy as np
import pytest
import torch
from allennlp.data import Vocabulary
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reading import many, read_or_refused, tensors

from structured_energy.data import (
    ArffReader,
    SegmentationReader,
    SemanticRoleReader,
    TableReader,
    TaggingConllReader,
)
from structured_energy.predictors import StructuredEnergyPredictor

# Characters that mean something in one of the formats, and a few that do not; not '=', by which the
# column of a nominal value may get the name of another attribute.
NAMES = st.text(st.sampled_from(list("ab1 _-%#,{}'\"\\\té\u2028<&")), max_size=4)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
WRONG_CELLS = ["", "1_0", "0x1", "nan", "-inf", "1e39", "-1e300", "2", "a b", "'", "?", "\u0661"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("generated")


def quoted(name):
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


SEPARATORS = st.sampled_from([",", "\t", " ,\t", ", "])
COMMENTS = st.sampled_from(["", "", " % {a,b}", "% it's", " %"])


@st.composite
def arff_texts(draw):
    """An ARFF file whose last attribute is a label, and what is wrong with it, often nothing."""
    mistakes = ["name", "kind", "domain", "cell", "width", "index", "data", "weight"]
    wrong = draw(st.sampled_from([None, None, None, *mistakes]))
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique=wrong != "name"))
    domains = [
        draw(
            st.one_of(st.none(), st.lists(NAMES, min_size=1, max_size=3, unique=wrong != "domain"))
        )
        for _ in names[1:]
    ]
    domains.append(["0", "1"])
    kinds = [
        draw(st.sampled_from(["numeric", "REAL", "integer"]))
        if domain is None
        else "{" + ",".join(map(quoted, domain)) + "}"
        for domain in domains
    ]
    if wrong == "kind":
        kinds[0] = draw(st.sampled_from(["date", "string", "", "{", "{a", "{}", "relational"]))
    quote = str if wrong == "name" else quoted
    gaps = [draw(st.sampled_from(["", " ", "\t "])) if kind[:1] == "{" else " " for kind in kinds]
    lines = [
        f"@attribute {quote(name)}{gap}{kind}{draw(COMMENTS)}"
        for name, gap, kind in zip(names, gaps, kinds, strict=True)
    ]
    lines.append("data" if wrong == "data" else draw(st.sampled_from(["@data", "@DATA "])))
    for number in range(draw(st.integers(1, 4))):
        cells = [
            draw(FINITE if domain is None else st.sampled_from(domain).map(quoted))
            for domain in domains
        ]
        cells[-1] = draw(st.sampled_from(["0", "1"])) if number else "1"
        if wrong == "cell":
            cells[draw(st.integers(-1, 0))] = draw(st.sampled_from(WRONG_CELLS))
        places = [*draw(st.sets(st.integers(0, len(names) - 2))), len(names) - 1]
        if wrong == "index":
            places += draw(st.lists(st.integers(-1, len(names) + 1), max_size=2))
        if draw(st.booleans()) or wrong == "index":
            entries = [f"{place} {cells[place % len(cells)]}" for place in places]
            lines.append("{" + ",".join(entries) + "}")
        else:
            lines.append(draw(SEPARATORS).join(cells[1:] if wrong == "width" else cells))
        weight = draw(st.sampled_from(["", "", ",{1}", " {1.0}", "\t{1}"]))
        if wrong == "weight":
            weight = draw(st.sampled_from([",{2}", " {x}", "{}", ",{"]))
        lines[-1] += weight + draw(COMMENTS)
    mark = draw(st.sampled_from(["", "\ufeff"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return mark + end.join(["@relation r", *lines, ""]), wrong


@many
@given(arff_texts())
def test_arff(folder, text_and_wrong):
    text, wrong = text_and_wrong
    path = folder / "file.arff"
    path.write_bytes(text.encode())
    found = read_or_refused(lambda: tensors(ArffReader(num_labels=1).read(str(path))))
    assert found is not None or wrong is not None
    assert found is None or wrong != "weight"


WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5
).filter(lambda word: not word.startswith("\ufeff"))


@st.composite
def csv_files(draw):
    """A CSV file, the cells of its column of numbers and of its column of texts, and what is wrong
    with it, often nothing."""
    wrong = draw(st.sampled_from([None, None, None, "width", "number", "label", "quote", "name"]))
    size = draw(st.integers(4, 6))
    heads = (
        ["n", "y"]
        if wrong == "name"
        else draw(
            st.lists(WORDS, min_size=2, max_size=2, unique=True).filter(
                lambda pair: "y" not in pair
            )
        )
    )
    values = draw(st.lists(FINITE, min_size=size, max_size=size))
    texts = draw(st.lists(WORDS.map(lambda word: "_" + word), min_size=size, max_size=size))
    separator = draw(st.sampled_from([",", ";", "\t"]))
    target = io.StringIO(newline="")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(target, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerow([*heads, "y"])
    for number, cells in enumerate(zip(values, texts, strict=True)):
        row = [*cells, "1"]
        if number == 2 and wrong in ("width", "number", "label"):
            row = {
                "width": row[:2],
                "number": [draw(st.sampled_from(["x", "1_0", "inf", "1e99"])), *row[1:]],
                "label": [*cells, draw(st.sampled_from(["2", "x", ""]))],
            }[wrong]
        writer.writerow(row)
    if wrong == "quote":
        target.write('"1')
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + target.getvalue(), separator, heads, values, texts, wrong


@many
@given(csv_files())
def test_csv(folder, file):
    content, separator, heads, values, texts, wrong = file
    path = folder / "file.csv"
    path.write_bytes(content.encode())
    reader = TableReader(labels=["y"], separator=separator, categorical=[heads[1]])
    found = read_or_refused(lambda: list(reader.read(str(path))))
    assert (found is None) == (wrong is not None)
    if found is None:
        return
    for instance, value, text in zip(found, values, texts, strict=True):
        expected = {heads[0]: float(np.float32(value)), f"{heads[1]}={text}": 1.0}
        expected = {name: number for name, number in expected.items() if number}
        assert instance["x"].human_readable_repr() == expected
        assert instance["labels"].human_readable_repr() == {"y": 1.0}
    tensors(found)


# Anything but what separates columns and lines, white space of other kinds and controls included.
CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0 \t\n\r"), min_size=1, max_size=5
)
FIRST_CELLS = CELLS.filter(lambda cell: not cell.startswith("\ufeff"))  # ignored there


@st.composite
def column_files(draw):
    """A file of columns, the separator to read it by, and its sentences, None where it is wrong."""
    separator = draw(st.sampled_from(["\t", " ", "  \t"]))
    setting = {"\t": "tab", " ": "space"}.get(separator, "any")
    row = st.tuples(FIRST_CELLS, CELLS)
    sentences = draw(st.lists(st.lists(row, min_size=1, max_size=4), min_size=1, max_size=4))
    wrong = draw(st.sampled_from([None, None, None, "one column", "empty", "nothing"]))
    if wrong == "nothing":
        written = [draw(st.sampled_from(["", "\n\n", " \t\n", "\ufeff", "-DOCSTART- O\n"]))]
    else:
        lines = [[separator.join(row) for row in rows] for rows in sentences]
        at = draw(st.integers(0, len(lines) - 1))
        if wrong == "one column":
            lines[at] = [first for first, _ in sentences[at]]
        if wrong == "empty":
            lines[at][-1] = separator + "X"
        before = [
            draw(st.sampled_from(["", "", "\ufeff", "\n", "-DOCSTART- O\n"])) for _ in sentences
        ]
        ends = draw(st.sampled_from(["\n", separator + "\n"]))
        written = [
            mark + "".join(line + ends for line in rows)
            for mark, rows in zip(before, lines, strict=True)
        ]
    text = "\n".join(written)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    reading = draw(st.sampled_from([setting, "any"]))
    return text.replace("\n", end).encode(), reading, None if wrong else sentences


@many
@given(column_files())
def test_columns(folder, content_and_sentences):
    content, separator, sentences = content_and_sentences
    path = folder / "file.txt"
    path.write_bytes(content)
    found = read_or_refused(lambda: list(TaggingConllReader(separator=separator).read(str(path))))
    if sentences is None:
        assert found is None
        return
    assert found is not None
    read = [
        list(zip((t.text for t in instance["x"].tokens), instance["labels"].labels, strict=True))
        for instance in found
    ]
    assert read == sentences
    tensors(found)


@st.composite
def role_files(draw):
    """CoNLL-U with senses and roles, and what is wrong in it, most often nothing."""
    wrong = draw(
        st.sampled_from([None, None, None, *["number", "sense", "column", "cell", "none"]])
    )
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 4))
        senses = draw(st.lists(st.sampled_from(["_", "be.01"]), min_size=size, max_size=size))
        senses = ["_"] * size if wrong == "none" else ["be.01", *senses[1:]]
        width = sum(sense != "_" for sense in senses)
        width += draw(st.sampled_from([1, -1])) if wrong == "column" else 0
        numbers = [str(number) for number in range(1, size + 1)]
        at = draw(st.integers(0, size - 1))
        if wrong == "number":
            numbers[at] = draw(st.sampled_from(["x", "", "0", "1-9", "1.1", "\u0661", "-1"]))
        if wrong == "sense":
            senses[at] = draw(st.sampled_from(["", "_"]))
        for number, sense in zip(numbers, senses, strict=True):
            roles = draw(
                st.lists(st.sampled_from(["_", "A0", "V"]), min_size=width, max_size=width)
            )
            word = (
                draw(CELLS) if wrong != "cell" else draw(st.sampled_from(["", "\t", "a\tb", " "]))
            )
            lines.append("\t".join([number, word, *"_" * 8, sense, *roles]))
            if draw(st.booleans()):
                lines.append("\t".join([f"{len(lines)}-9", *"_" * 9]))  # a multi-word token
        lines.append("")
    return "\n".join(["# a comment", *lines]), wrong


@many
@given(role_files(), st.booleans())
def test_semantic_roles(folder, text_and_wrong, bio):
    text, wrong = text_and_wrong
    path = folder / "file.conllu"
    path.write_text(text, encoding="utf-8")
    reader = SemanticRoleReader(bio=bio)
    found = read_or_refused(lambda: tensors(reader.read(str(path))))
    assert found is not None or wrong is not None
    assert found is None or wrong != "none"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
KEYS = ["features", "tokens", "sentence", "predicate", "image"]
GIVEN = st.one_of(
    JSON,
    st.integers(min_value=10**400),
    st.lists(st.floats(), min_size=2, max_size=2),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON),
    st.lists(st.text(max_size=3), max_size=3),
    st.integers(-1, 3),
)


class Model(torch.nn.Linear):
    """What a predictor asks of a model before it predicts."""

    def __init__(self, vocab):
        super().__init__(1, 1)
        self.vocab = vocab


@pytest.fixture(scope="module", params=["arff", "table", "columns", "semantic roles", "images"])
def predictor(request, folder):
    """A predictor of each reader, and a line that it understands."""
    path = folder / "lines"
    if request.param == "arff":
        attributes = "@attribute a real\n@attribute b real\n@attribute y {0,1}\n"
        path.write_text(f"@relation r\n{attributes}@data\n1,2,1\n")
        reader, line = ArffReader(num_labels=1), {"features": [1, 2]}
    elif request.param == "table":
        path.write_text("a,b,y\n1,2,1\n")
        reader, line = TableReader(labels="y", format="csv"), {"features": [1, 2]}
    elif request.param == "columns":
        path.write_text("a D\n")
        reader, line = TaggingConllReader(), {"tokens": ["a"]}
    elif request.param == "semantic roles":
        path.write_text("\t".join(["1", "a", *"_" * 8, "be.01", "V"]) + "\n")
        reader, line = SemanticRoleReader(), {"tokens": ["a"], "predicate": 0}
    else:
        path = folder / "lines.npz"
        image = np.zeros((1, 2, 2, 3), np.uint8)
        np.savez(path, images=image, masks=image[..., 0])
        Image.fromarray(image[0]).save(folder / "line.png")
        reader, line = SegmentationReader(), {"image": str(folder / "line.png")}
    vocab = Vocabulary.from_instances(list(reader.read(str(path))))
    return StructuredEnergyPredictor(Model(vocab), reader), line


@many
@given(st.data())
def test_lines_to_predict(predictor, data):
    predictor, right = predictor
    line = data.draw(st.one_of(JSON, st.dictionaries(st.sampled_from(KEYS), GIVEN)))
    if isinstance(line, dict) and data.draw(st.booleans()):
        line = {**right, **line}
    text = json.dumps(line)
    is_cut = data.draw(st.sampled_from([False, False, False, True]))

    def read():
        instance = predictor._json_to_instance(predictor.load_line(text[:5] if is_cut else text))
        predictor._dataset_reader.apply_token_indexers(instance)
        # A missing value of a table is filled by the model.
        may_miss = isinstance(predictor._dataset_reader, TableReader)
        return tensors([instance], predictor._model.vocab, may_miss)

    found = read_or_refused(read)
    if line == right and not is_cut:
        # False and 0.0 equal 0, and are no places of a predicate.
        is_right = type(line.get("predicate")) is type(right.get("predicate"))
        assert (found is not None) == is_right
