"""The reader of texts with labels: formats, labels, fields, and errors that say file and line."""

import json

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Vocabulary
from tiny_transformer import write_transformer

from structured_energy.data import MultiLabelTextReader, TensorDataLoader, names
from structured_energy.data.registry import available
from structured_energy.testing import write_texts


def write(folder, name, content):
    path = folder / name
    if isinstance(content, list):
        content = "".join(json.dumps(line) + "\n" for line in content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def labels_of(instance):
    field = instance["labels"]
    return [field.schema.columns["labels"][place] for place in field.columns]


def read(path, **settings):
    return [
        (" ".join(token.text for token in instance["x"].tokens), labels_of(instance))
        for instance in MultiLabelTextReader(**settings).read(path)
    ]


RAIN = [("Rain today", ["weather"]), ("Rain stops play", ["sport", "weather"]), ("Nothing", [])]


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        (
            "a.jsonl",
            [
                {"text": "Rain today", "labels": ["weather"]},
                {"text": "Rain stops play", "labels": ["weather", "sport"]},
                {"text": "Nothing", "labels": []},
            ],
            {},
        ),
        (
            "a.csv",
            'text,labels\n"Rain today",weather\nRain stops play,sport; weather\nNothing,\n',
            {"label_separator": ";"},
        ),
        (
            "a.tsv",
            "Rain today\t1\nRain stops play\t0,1\nNothing\t\n",
            {"columns": ["text", "labels"], "label_separator": ",", "labels_file": "names.txt"},
        ),
        (
            "a.csv",
            "id,body,is_weather,is_sport\n7,Rain today,1,0\n8,Rain stops play,1,1\n9,Nothing,0,0\n",
            {"text": "body", "labels": "is_*"},
        ),
        (
            "a.jsonl",
            [
                {"id": 7, "text": "Rain today"},
                {"id": 8, "text": "Rain stops play"},
                {"id": 9, "text": "Nothing"},
            ],
            {"topics_file": "topics.qrels"},
        ),
        (
            "a.jsonl",
            [
                {"text": "Rain today", "labels": {"weather": 1, "sport": 0}},
                {"text": "Rain stops play", "labels": {"d0": ["weather"], "d1": "sport"}},
                {"text": "Nothing", "labels": {}},
            ],
            {},
        ),
    ],
    ids=["lists", "delimited", "indices", "columns", "topics by document", "dictionaries"],
)
def test_texts_and_labels(name, content, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "names.txt", "sport\nweather\n")
    write(tmp_path, "topics.qrels", "weather 7 1\nsport 8 1\nweather 8 1\nidle 9 1\n")
    expected = RAIN
    if "topics_file" in settings:
        expected = [*RAIN[:2], ("Nothing", ["idle"])]
    elif "labels" in settings:
        expected = [(text, [f"is_{label}" for label in labels]) for text, labels in RAIN]
    found = read(write(tmp_path, name, content), **settings)
    assert [(text, sorted(labels)) for text, labels in found] == expected


BGC = """<book date="2018-08-18" xml:lang="en">
<title>Rain & Wind</title>
<body>A storm &amp; its
end.</body>
<copyright>(c) Nobody</copyright>
<metadata>
<topics>
<d0>Fiction</d0><d1>Sea Stories</d1><d1>Romance</d1>
</topics>
</metadata>
</book>
<book date="2018-08-19" xml:lang="en">
<title>Goals</title>
<body>A season.</body>
<metadata>
<topics>
<d0>Nonfiction</d0>
</topics>
</metadata>
</book>
"""


def test_the_markup_of_the_blurb_genre_collection(tmp_path):
    path = write(tmp_path, "BGC_train.txt", BGC)
    assert read(path, format="bgc", text=["title", "body"], joiner=" : ") == [
        ("Rain & Wind : A storm & its end .", ["Fiction", "Romance", "Sea Stories"]),
        ("Goals : A season .", ["Nonfiction"]),
    ]
    lines = [
        {"title": "Rain & Wind", "body": "A storm.", "topics": {"d0": ["Fiction"], "d1": "Romance"}}
    ]
    path = write(tmp_path, "bgc.jsonl", lines)
    settings = {"text": ["title", "body"], "labels": "topics"}
    assert read(path, **settings) == [("Rain & Wind A storm .", ["Fiction", "Romance"])]


def test_the_tokens_of_rcv1(tmp_path):
    text = ".I 2286\n.W\nrecov recov\nexcit\n\n.I 2287\n.W\nbruss bruss\n"
    path = write(tmp_path, "lyrl2004_tokens_train.dat", text)
    topics = write(tmp_path, "rcv1-v2.topics.qrels", "E11 2286 1\nECAT 2286 1\nM11 2287 1\n")
    assert read(path, format="rcv1", topics_file=topics) == [
        ("recov recov excit", ["E11", "ECAT"]),
        ("bruss bruss", ["M11"]),
    ]


def test_the_lines_of_the_new_york_times(tmp_path):
    lines = [
        {"text": "A vote.", "title": "Law", "labels": ["Top/News", "Top"], "xml_path": "1.xml"},
        {"text": "", "title": "A match", "labels": ["Top"], "xml_path": "2.xml"},
    ]
    path = write(tmp_path, "nyt.jsonl", lines)
    assert read(path, text=["title", "text"]) == [
        ("Law A vote .", ["Top", "Top/News"]),
        ("A match", ["Top"]),
    ]


def test_several_texts_are_joined_or_kept_apart(tmp_path):
    lines = [{"title": "Rain", "title/body": "It rains.", "labels": ["a"]}]
    lines.append({"title": "!", "title/body": None, "labels": ["a", "b"]})
    path = write(tmp_path, "a.jsonl", lines)
    settings = {"text": ["title", "title/body"], "texts": "separate", "max_tokens": 2}
    instances = list(MultiLabelTextReader(**settings).read(path))
    words = [
        {name: [token.text for token in text.tokens] for name, text in each["x"].texts.items()}
        for each in instances
    ]
    assert words[0] == {"title": ["Rain"], "title/body": ["It", "rains"]}
    assert words[1] == {"title": ["!"], "title/body": ["@@empty@@"]}
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    tensors = Batch(instances).as_tensor_dict()
    assert tensors["x"]["title/body"]["tokens"]["tokens"].shape == (2, 2)
    assert len(instances[0]["x"]) == 3
    assert names(vocab, "labels") == ["a", "b"]
    assert tensors["labels"].tolist() == [[True, False], [True, True]]


def test_quotes_are_text_where_they_do_not_surround_cells(tmp_path):
    path = write(tmp_path, "a.tsv", 'text\tlabels\n"Rain" today\tweather\n')
    settings = {"label_separator": ",", "quotes": False}
    assert read(path, **settings) == [('" Rain " today', ["weather"])]


@pytest.mark.parametrize(
    ("name", "content", "settings", "message"),
    [
        (
            "a.jsonl",
            [{"text": "Rain", "labels": ["a"]}],
            {"text": "body"},
            "a column of texts 'body', got .*'text'",
        ),
        ("a.csv", "text,labels\nRain,a\n", {}, "line 2, column 'labels'.*set 'label_separator'"),
        ("a.csv", "text,tags\nRain,a\n", {}, r"the columns of labels \['labels'\], got"),
        ("a.csv", "text,labels\n ,a\n", {"label_separator": ";"}, "line 2, .*a text, got none"),
        (
            "a.csv",
            "text,labels\nRain,a;a\n",
            {"label_separator": ";"},
            "line 2, .*each label once",
        ),
        (
            "a.tsv",
            "Rain\t2\n",
            {"columns": ["text", "labels"], "label_separator": ",", "labels_file": "names.txt"},
            "line 1, .*an index below 2, .* got 2",
        ),
        (
            "a.tsv",
            "Rain\tc\n",
            {"columns": ["text", "labels"], "label_separator": ",", "labels_file": "names.txt"},
            "line 1, .*one of the 2 labels of 'labels_file', .*got 'c'",
        ),
        ("a.tsv", "Rain\t2\n", {"columns": ["text"]}, "line 1: expected 1 columns, .*got 2"),
        ("a.jsonl", [{"text": 3, "labels": ["a"]}], {}, "line 1, column 'text': expected a text"),
        ("a.jsonl", [{"text": "Rain", "labels": [["a"]]}], {}, "line 1, .*names of labels"),
        ("a.jsonl", [{"text": "Rain", "labels": [" "]}], {}, "line 1, .*names of labels, got ' '"),
        ("a.jsonl", '{"text": "Rain"\n', {}, "line 1: expected a dictionary in JSON"),
        ("a.jsonl", [{"text": "Rain", "labels": []}], {}, "expected labels, got none in 1 rows"),
        (
            "a.jsonl",
            [{"text": "Rain", "id": "9"}],
            {"topics_file": "topics.qrels"},
            "line 1, column 'id': expected a document of the topics file, got '9'",
        ),
        ("a.jsonl", [{"text": "Rain"}], {"topics_file": "topics.qrels"}, "a column 'id'"),
        ("a.txt", "<book>\n<title>a</title>\n", {"format": "bgc"}, "line 1: expected </book>"),
        ("a.txt", "\n</book>\n", {"format": "bgc"}, "line 2: expected <book>, got </book>"),
        ("a.txt", "<book>\n</book>", {"format": "bgc"}, "line 1: expected an element <title>"),
        ("a.txt", "a\n", {"format": "bgc"}, "expected elements <book>, got none"),
        (
            "a.txt",
            ".I 1\na\n",
            {"format": "rcv1", "topics_file": "topics.qrels"},
            "line 2: expected '.W' after",
        ),
        (
            "a.txt",
            "a\n",
            {"format": "rcv1", "topics_file": "topics.qrels"},
            "line 1: expected '.I' and",
        ),
        ("a.csv", "text,a,b\nRain,1,2\n", {"labels": ["a", "b"]}, "line 2, .*expected 0 or 1"),
        ("a.csv", "text,a,b\nRain,1,\n", {"labels": ["a", "b"]}, "line 2: .*a missing value"),
        ("a.jsonl", [{"text": "Rain"}], {"labels_file": "twice.txt"}, "line 2: .*'a' as in line 1"),
        ("a.jsonl", [{"text": "Rain"}], {"topics_file": "names.txt"}, "line 1: expected a topic"),
        ("a.svm", "1 2:3\n", {}, "expected a file of texts, got matrices"),
    ],
)
def test_bad_data_are_named(name, content, settings, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "names.txt", "a\nb\n")
    write(tmp_path, "twice.txt", "a\na\n")
    write(tmp_path, "topics.qrels", "weather 7 1\n")
    path = write(tmp_path, name, content)
    with pytest.raises(ValueError, match=message) as error:
        read(path, **settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "xml"}, "format of the dataset reader 'multi-label-text'"),
        ({"texts": "both"}, "texts of the dataset reader"),
        ({"text": ["a", "a"]}, "different columns as 'text'"),
        ({"topics_file": "a", "labels": "b"}, "got both; leave one out"),
        ({"max_tokens": 0}, "max_tokens .* at least 1, got 0"),
        ({"separator": "ab"}, "separator of the dataset reader 'multi-label-text'"),
        ({"encoding": "klingon"}, "encoding of a text"),
    ],
)
def test_settings_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        MultiLabelTextReader(**settings)


def test_a_line_and_a_text_to_predict_for(tmp_path):
    path = write(tmp_path, "a.jsonl", [{"title": "Rain", "body": "Wind", "labels": ["a", "b"]}])
    reader = MultiLabelTextReader(text=["title", "body"])
    vocab = Vocabulary.from_instances(reader.read(path))
    predicting = reader.for_prediction(vocab)
    line = predicting.json_to_instance({"title": "Rain", "body": "Sun"}, vocab)
    assert [token.text for token in line["x"].tokens] == ["Rain", "Sun"] and "labels" not in line
    unlabelled = write(tmp_path, "b.jsonl", [{"title": "Rain", "body": "Wind"}])
    (instance,) = predicting.read(unlabelled)
    assert "labels" not in instance.fields
    value = reader.value_to_instance({"title": "Rain", "body": ""}, vocab, ["b"])
    reader.apply_token_indexers(value)
    value.index_fields(vocab)
    assert value["labels"].as_tensor({}).tolist() == [False, True]
    with pytest.raises(ValueError, match=r"the key 'body', a text, got the keys \['title'\]"):
        predicting.json_to_instance({"title": "Rain"}, vocab)
    with pytest.raises(ValueError, match="Expected labels of the model, got 'c'"):
        reader.value_to_instance({"title": "Rain", "body": ""}, vocab, ["c"])
    with pytest.raises(ValueError, match="Expected a text, or a dictionary of texts"):
        reader.value_to_instance(3, vocab)


READERS = {
    "words and characters": {
        "token_indexers": {
            "tokens": "single_id",
            "characters": {"type": "characters", "min_padding_length": 3},
        }
    },
    "transformer": {"tokenizer": "pretrained_transformer", "token_indexers": {"tokens": None}},
}


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("texts", ["joined", "separate"])
def test_batches_are_those_of_allennlp(kind, texts, tmp_path):
    """The loader 'tensor' pads as AllenNLP does, whatever the tensors of the indexers."""
    settings = dict(READERS[kind])
    if kind == "transformer":
        folder = write_transformer(tmp_path / "tiny", ["rain", "goal", "the"])
        transformer = {"type": "pretrained_transformer", "model_name": folder}
        settings = {"tokenizer": transformer, "token_indexers": {"tokens": dict(transformer)}}
    path = write_texts(tmp_path, "train", 11)
    params = {
        "type": "multi-label-text",
        "columns": ["text", "labels", "id"],
        "text": ["text", "id"],
        "texts": texts,
        "label_separator": ",",
        "labels_file": str(tmp_path / "labels.txt"),
        **settings,
    }
    reader = DatasetReader.from_params(Params(params))
    loader = TensorDataLoader(reader, str(path), batch_size=4)
    instances = list(loader.iter_instances())
    vocab = Vocabulary.from_instances(instances)
    loader.index_with(vocab)
    batches = list(loader)
    assert len(batches) == 3
    for number, batch in enumerate(batches):
        expected = Batch(instances[4 * number : 4 * number + 4]).as_tensor_dict()
        torch.testing.assert_close(batch, expected, rtol=0, atol=0)
    assert names(vocab, "labels") == ["weather", "sport", "politics", "culture"]


@pytest.mark.data
def test_the_comments_of_goemotions():
    if not available("goemotions"):
        pytest.skip("STRUCTURED_ENERGY_DATA has no goemotions")
    reader = MultiLabelTextReader(
        columns=["text", "labels", "id"],
        label_separator=",",
        labels_file="data://goemotions/labels",
    )
    parts = {part: list(reader.read(f"data://goemotions/{part}")) for part in ("dev", "test")}
    assert {part: len(rows) for part, rows in parts.items()} == {"dev": 5426, "test": 5427}
    labels = parts["test"][0]["labels"].schema.columns["labels"]
    assert len(labels) == 28 and labels[0] == "admiration" and labels[-1] == "neutral"
    (first, *_) = reader.read("data://goemotions/train")
    assert labels_of(first) == ["neutral"]
    assert " ".join(token.text for token in first["x"].tokens).startswith("My favourite food")
