"""`allennlp init` says what data have and writes a config that trains on them."""

import json
import random

import numpy as np
import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from forked_command import allennlp

from structured_energy.commands.init import as_jsonnet, config_text, table_of
from structured_energy.commands.inspection import Options, inspect_path
from structured_energy.commands.inspection.paths import parts_of
from structured_energy.configs import evaluate_snippet, faults_of
from structured_energy.testing import write_arff, write_conllu, write_hierarchy, write_images
from structured_energy.testing.files import TEXT_WORDS


def csv(path, names, rows):
    lines = [",".join(map(str, row)) for row in [names, *rows]]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def table(count=150):
    generator = random.Random(0)
    for i in range(count):
        a, b = generator.random() * 100, generator.gauss(0, 1)
        yield i, f"name {i}", a, b, generator.choice("rg"), 7, int(a > 50), int(b > 0)


@pytest.fixture
def plain(tmp_path):
    names = ["id", "name", "a", "b", "color", "const", "sport", "music"]
    return csv(tmp_path / "plain.csv", names, table())


def config_of(path, options=None, method="cross_entropy"):
    parts = parts_of(path)
    found = inspect_path(parts["train"], options or Options())
    text = config_text(method, found, table_of(found, parts), path)
    return found, text, json.loads(evaluate_snippet("config", text))


def test_a_table_with_named_labels(plain):
    found, text, config = config_of(plain, Options(["sport", "music"]))
    assert config["dataset_reader"] == {
        "type": "table",
        "labels": ["sport", "music"],
        "ignore": ["id", "name"],
    }
    facts = dict(found.facts)
    assert facts["rows"] == "150" and facts["features"].startswith("5, ")
    assert facts["labels"].startswith("2 ('sport', 'music')")
    doubts = "\n".join(found.warnings)
    for words in ("'id' numbers the rows", "'name' has another text", "all rows: 'const'"):
        assert words in doubts
    assert len(text.splitlines()) <= 12 and faults_of(config) == []


@pytest.mark.parametrize(
    ("names", "row", "options", "reader"),
    [
        (
            ["a", "label_x", "label_y"],
            lambda i: [i * i, i % 2, 1],
            Options(),
            {"labels": "label_*"},
        ),
        (
            ["a", "tags"],
            lambda i: [i * i, "x;y" if i % 2 else "y"],
            Options(),
            {"labels": "tags", "label_separator": ";"},
        ),
        (
            ["a", "genre"],
            lambda i: [i * i, "x/y" if i % 2 else "y"],
            Options(["genre"], "/"),
            {"labels": "genre", "label_separator": "/"},
        ),
    ],
)
def test_labels_are_told_by_their_names(names, row, options, reader, tmp_path):
    path = csv(tmp_path / "a.csv", names, (row(i) for i in range(30)))
    found, _, config = config_of(path, options)
    assert config["dataset_reader"] == {"type": "table", **reader}
    assert ("label_x" if "label_x" in names else "'x', 'y'") in dict(found.facts)["labels"]


@pytest.mark.parametrize(
    ("names", "rows", "options", "message"),
    [
        (
            ["a", "b"],
            [[1, 0], [2, 1]],
            Options(),
            "which columns are labels.*'b'; run `allennlp init .*a.csv --labels b`, or name",
        ),
        (
            ["a", "b", "who"],
            [[i, i % 2, "x;y" if i % 2 else "y"] for i in range(9)],
            Options(encoding="ascii"),
            "--labels b --encoding ascii`.* row, --labels who --delimiter ';'.",
        ),
        (["a"], [["x"], ["y"]], Options(), "'a'; name them, --labels a,b"),
        (["a", "age"], [["x", 36.87], ["y", 4]], Options(["age"]), "'age' of numbers such as 36.8"),
        (["a", "b"], [[1, 0], [2, 1]], Options(["c"]), "--labels.* among the columns 'a', 'b'"),
        (["a", "tags"], [[1, "x"], [2, "y"]], Options(), "several labels .* --delimiter"),
    ],
)
def test_what_cannot_be_told_is_asked_for(names, rows, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        inspect_path(csv(tmp_path / "a.csv", names, rows), options)


def test_what_looks_wrong_is_said(tmp_path):
    rows = [[i * i, "" if i == 3 else i % 5, -2e6 * i * i, "", 1, int(i == 7)] for i in range(30)]
    path = csv(tmp_path / "a.csv", ["a", "b", "salary", "gone", "label_x", "label_y"], rows)
    doubts = "\n".join(inspect_path(path, Options()).warnings)
    assert "31 missing values in 'b', 'gone'" in doubts
    assert "1 feature without any value: 'gone'" in doubts
    assert "1 feature with values of 1,000,000 and more: 'salary'" in doubts
    assert "1 label in fewer than 2 rows" in doubts and "'label_y'" in doubts
    assert "1 label in every row: 'label_x'" in doubts
    assert "30 rows: too few" in doubts


def test_a_column_of_delimited_labels_is_told(tmp_path):
    rows = [
        [f"Mr {i}, of {i % 3}", "x" if i % 3 else "x; y", f"a;b;{i % 2}", i * i] for i in range(30)
    ]
    path = csv(
        tmp_path / "a.csv", ["who", "genre", "same", "a"], [[f'"{r[0]}"', *r[1:]] for r in rows]
    )
    found, _, config = config_of(path)
    reader = {"type": "table", "labels": "genre", "label_separator": ";", "ignore": ["who"]}
    assert config["dataset_reader"] == reader
    assert "The column 'genre' has all labels of a row" in "\n".join(found.warnings)


def test_columns_like_the_labels_that_become_features_are_named(plain):
    doubts = "\n".join(inspect_path(plain, Options(["sport"])).warnings)
    assert (
        "'music': a feature that has 0 and 1, as labels do; name all labels in --labels" in doubts
    )
    assert "as labels do" not in "\n".join(
        inspect_path(plain, Options(["sport", "music"])).warnings
    )


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
def test_the_separator_and_the_decimal_comma_are_told(mark, tmp_path):
    rows = [f'"{i * i},5"{mark}"x; y"{mark}{i % 2}' for i in range(30)]
    text = "\n".join([f"a{mark}naïve{mark}label_x", *rows])
    (tmp_path / "a.csv").write_text(text, encoding="cp1252")
    with pytest.raises(ValueError, match="byte 5: .*--encoding latin-1"):
        inspect_path(str(tmp_path / "a.csv"), Options())
    found, _, config = config_of(str(tmp_path / "a.csv"), Options(encoding="cp1252"))
    other = {} if mark == "," else {"separator": mark}
    expected = {"encoding": "cp1252", **other, "decimal": ",", "labels": "label_*"}
    assert config["dataset_reader"] == {"type": "table", **expected}
    assert dict(found.facts)["features"].startswith("2, ") and faults_of(config) == []


def test_json_lines_and_arrays_say_their_labels(tmp_path):
    lines = [{"a": i * i, "labels": ["x"] if i % 2 else ["x", "y"]} for i in range(30)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert config_of(str(tmp_path / "a.jsonl"))[2]["dataset_reader"] == {"type": "table"}
    np.savez(tmp_path / "a.npz", X=np.random.rand(30, 4), Y=np.arange(60).reshape(30, 2) % 2)
    found, _, config = config_of(str(tmp_path / "a.npz"))
    assert config["dataset_reader"] == {"type": "table"}
    assert dict(found.facts)["features"].startswith("4, 100% not zero")


def test_attributes_of_arff_are_labels_by_name(tmp_path):
    text = "@relation a\n@attribute f numeric\n@attribute g numeric\n"
    text += "@attribute x {0,1}\n@attribute y {0,1}\n@data\n"
    (tmp_path / "a.arff").write_text(text + "".join(f"{i},1,{i % 2},1\n" for i in range(20)))
    path = str(tmp_path / "a.arff")
    with pytest.raises(ValueError, match="--labels"):
        inspect_path(path, Options())
    config = config_of(path, Options(["x", "y"]))[2]
    assert config["dataset_reader"] == {"type": "arff", "num_labels": 2, "labels_at": "end"}
    with pytest.raises(ValueError, match="the first or the last attributes, got 'g'"):
        inspect_path(path, Options(["g"]))


def test_a_taxonomy_is_recognised(tmp_path):
    path = str(write_hierarchy(tmp_path, "train", 40))
    found, text, config = config_of(path)
    assert found.task == "hierarchical" and "hierarchical.libsonnet" in text
    assert config["model"]["output_space"] == {"type": "hierarchical"}
    assert config["dataset_reader"] == {"type": "arff", "missing_value": "mean"}
    assert faults_of(config) == []


def test_spans_of_tags_are_recognised(tmp_path):
    block = "John\tB-PER\nSmith\tI-PER\nvisits\tO\nParis\tB-LOC\n\n"
    (tmp_path / "a.conll").write_text(block * 30)
    config = config_of(str(tmp_path / "a.conll"))[2]
    assert config["dataset_reader"]["encoding"] == "BIO"
    assert config["trainer"]["validation_metric"] == "+span_f1"
    assert faults_of(config) == []
    (tmp_path / "b.conll").write_text(
        block.replace("Smith\tI-", "Smith\tL-").replace("B-LOC", "U-LOC")
    )
    assert config_of(str(tmp_path / "b.conll"))[2]["dataset_reader"]["encoding"] == "BIOUL"
    long = "a\tB-PER\n" + "b\tI-PER\n" * 9 + "\n"
    (tmp_path / "c.conll").write_text((block + long) * 30)
    found, _, config = config_of(str(tmp_path / "c.conll"), method="crf_semi_markov")
    assert dict(found.facts)["spans"] == "written in BIO, the longest of 10 tokens"
    (term,) = config["model"]["score_network"]["structured_scores"]
    assert term["max_length"] == 10


@pytest.mark.parametrize("sizes", [[(8, 9)], [(8, 9), (8, 9), (6, 6)]], ids=["one", "several"])
def test_images_and_masks(sizes, tmp_path):
    from PIL import Image

    generator = np.random.default_rng(0)
    for part, high in (("images", 255), ("masks", 1)):
        (tmp_path / part).mkdir()
        for i in range(6):
            pixels = generator.integers(0, high + 1, sizes[i % len(sizes)], dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / f"{i}.png")
    found, _, config = config_of(str(tmp_path), method="seal_dynamic_nce")
    assert config["dataset_reader"]["num_channels"] == 1
    assert config["data_loader"]["augmentations"][0]["size"] == [6, 6]
    assert ("size" in config["dataset_reader"]) == (len(sizes) > 1)
    assert "6 of 8 × 9, 1 channel" in dict(found.facts)["images"]
    config["trainer"]["num_epochs"] = 1
    train_model(Params(config), str(tmp_path / "run"))


def test_a_folder_has_its_parts(tmp_path):
    for part in ("train", "dev", "test"):
        (tmp_path / f"mine-{part}.csv").write_text("")
    assert [path.rpartition("/")[2] for path in parts_of(str(tmp_path)).values()] == [
        "mine-train.csv",
        "mine-dev.csv",
        "mine-test.csv",
    ]
    (tmp_path / "other-train.csv").write_text("")
    with pytest.raises(ValueError, match="one file named train.*other-train.csv"):
        parts_of(str(tmp_path))
    (tmp_path / "other-train.csv").unlink()
    (tmp_path / "training_configs").mkdir()  # no data
    assert parts_of(str(tmp_path))["train"] == str(tmp_path / "mine-train.csv")
    with pytest.raises(ValueError, match="expected a file or a folder of data, got none"):
        parts_of(str(tmp_path / "none"))
    (tmp_path / "book.xlsx").write_text("")
    with pytest.raises(ValueError, match="expected ARFF, CSV, .* got .xlsx"):
        inspect_path(str(tmp_path / "book.xlsx"), Options())


@pytest.mark.parametrize("write", [write_arff, write_conllu, write_images])
def test_the_written_config_trains(write, tmp_path):
    path = str(write(tmp_path / "data", "train", 24, seed=0))
    _, text, config = config_of(path, method="seal_dynamic_nce")
    assert faults_of(config) == [] and len(text.splitlines()) <= 12
    config["trainer"]["num_epochs"] = 1
    train_model(Params(config), str(tmp_path / "run"))


def test_the_command_writes_and_does_not_overwrite(plain, tmp_path):
    flags = ["--labels", "sport,music", "--method", "spen"]
    result = allennlp("init", "plain.csv", *flags, cwd=tmp_path)
    assert result.returncode == 0 and "rows      150" in result.stdout
    assert result.stdout.endswith("or allennlp train config.jsonnet -s runs/config\n")
    text = (tmp_path / "config.jsonnet").read_text()
    assert "se.spen({\n  train: 'plain.csv'," in text
    again = allennlp("init", "plain.csv", *flags, cwd=tmp_path)
    assert again.returncode == 1 and "no file at config.jsonnet, got one" in again.stderr
    unknown = allennlp("init", "plain.csv", "--method", "spn", *flags[:2], "--force", cwd=tmp_path)
    assert unknown.returncode == 1 and "did you mean 'spen'?" in unknown.stderr
    assert (tmp_path / "config.jsonnet").read_text() == text


def test_trees(tmp_path):
    path = str(write_conllu(tmp_path / "data", "train", 24, seed=0))
    found, text, config = config_of(path, Options(trees=True), "seal_dynamic_nce")
    assert found.task == "parsing" and found.reader == {"type": "dependency-conllu"}
    facts = dict(found.facts)
    assert facts["sentences"].startswith("24, ") and facts["trees"].endswith("have arcs that cross")
    assert facts["relations"].endswith("without their subtypes") and "'conj'" in facts["relations"]
    assert faults_of(config) == [] and len(text.splitlines()) <= 12
    config["trainer"]["num_epochs"] = 1
    train_model(Params(config), str(tmp_path / "run"))
    assert "--trees" in dict(inspect_path(path, Options()).facts)["trees"]


def sentence(*arcs):
    rows = [
        "\t".join([str(number), "word", *"____", str(head), relation, "_", "_"])
        for number, (head, relation) in enumerate(arcs, 1)
    ]
    return "\n".join(["# a comment", *rows, "", ""])


def test_trees_of_other_forms(tmp_path):
    path = tmp_path / "train.conllu"
    path.write_text(sentence((0, "_"), (4, "_"), (1, "_"), (0, "_")) * 3 + sentence((0, "_")))
    found, _, config = config_of(str(path), Options(trees=True))
    assert config["dataset_reader"] | {"token_indexers": None} == {
        "type": "dependency-conllu",
        "relations": "none",
        "single_root": False,
        "token_indexers": None,
    }
    assert not config["model"]["output_space"]["single_root"]
    assert dict(found.facts)["trees"] == "75.0% have arcs that cross"
    assert any("3 sentences with several roots, the first in line 2" in w for w in found.warnings)
    for text, message in (
        (sentence(("_", "_")), "line 2: expected the head of each word in the column 7"),
        (sentence((2, "a"), (1, "b")), "line 2: expected heads that lead to the root"),
        ("a b\n", "expected at least 10 columns"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            inspect_path(str(path), Options(trees=True))


def test_values_are_written_as_jsonnet():
    value = {"a-b": ["it's", "\\n\n", 1.5, None, True], "c": {}}
    assert json.loads(evaluate_snippet("value", as_jsonnet(value))) == value


def prose(path, count=120, more=()):
    generator = random.Random(0)
    rows = []
    for i in range(count):
        words = generator.choices(TEXT_WORDS, k=generator.randint(4, 9))
        labels = sorted({"ab"[TEXT_WORDS.index(word) % 2] for word in words[:2]})
        rows.append([i, f"No {i}", " ".join(words), ";".join(labels), *(c(i) for c in more)])
    return csv(path, ["id", "title", "body", "tags", *("age" for _ in more)], rows)


def test_a_table_of_texts(tmp_path):
    path = prose(tmp_path / "texts.csv")
    found, text, config = config_of(path, method="seal_dynamic_nce")
    assert found.task == "multi_label_text"
    reader = {"type": "multi-label-text", "text": "body", "labels": "tags", "label_separator": ";"}
    indexers = {"tokens": {"type": "single_id", "lowercase_tokens": True}}
    assert config["dataset_reader"] == {**reader, "token_indexers": indexers}
    facts = dict(found.facts)
    assert facts["rows"] == "120" and facts["labels"].startswith("2 ('a', 'b')")
    assert facts["texts"].startswith("'body', ")
    assert "The columns 'id', 'title' are left out" in found.warnings[0]
    assert len(text.splitlines()) <= 12 and faults_of(config) == []
    found, _, config = config_of(path, Options(text=["title", "body"]))
    assert config["dataset_reader"]["text"] == ["title", "body"]
    with pytest.raises(ValueError, match="texts .--text. among the columns .*, got 'boddy'"):
        inspect_path(path, Options(text=["boddy"]))


def test_texts_beside_numbers_are_features_unless_they_are_named(tmp_path):
    path = prose(tmp_path / "texts.csv", more=[lambda i: (i * 7919) % 101 / 3])
    found, _, _ = config_of(path)
    assert found.task == "multi_label"
    assert any("--text body reads it in place" in warning for warning in found.warnings)
    found, _, config = config_of(path, Options(text=["body"]))
    assert found.task == "multi_label_text" and config["dataset_reader"]["text"] == "body"


def test_a_config_of_texts_trains(tmp_path):
    path = prose(tmp_path / "texts.csv", count=60)
    _, _, config = config_of(path)
    config["trainer"]["num_epochs"] = 2
    train_model(Params(config), str(tmp_path / "run"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert 0 <= metrics["validation_example_f1"] <= 1


def test_the_option_for_another_encoding_is_that_of_the_message(tmp_path):
    (tmp_path / "a.csv").write_text("text,labels\na b,x;y\n", encoding="utf-16")
    with pytest.raises(ValueError, match="'encoding' .* 'utf-16', .*: --encoding utf-16"):
        inspect_path(str(tmp_path / "a.csv"), Options())
