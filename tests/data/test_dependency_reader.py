"""The reader of dependency trees: words and trees of CoNLL-U, and files that are refused."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.batch import Batch

from structured_energy.data import DependencyConlluReader

SENTENCES = """\
# text = I don't
1\tI\t_\t_\t_\t_\t2\tnsubj:pass\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\t_\t_\t_\t_\t0\troot\t_\t_
3\tn't\t_\t_\t_\t_\t2\tadvmod\t_\t_
3.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_

1\tGo\t_\t_\t_\t_\t0\troot\t_\t_
"""


def instances(tmp_path, text=SENTENCES, **settings):
    path = tmp_path / "train.conllu"
    path.write_text(text)
    return list(DependencyConlluReader(**settings).read(str(path)))


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        ("universal", ["nsubj", "root", "advmod"]),
        ("full", ["nsubj:pass", "root", "advmod"]),
        ("none", ["_"] * 3),
    ],
)
def test_words_and_trees(tmp_path, relations, expected):
    first, second = instances(tmp_path, relations=relations)
    assert [token.text for token in first["x"].tokens] == ["I", "do", "n't"]
    assert first["labels"].heads == [2, 0, 2] and first["labels"].labels == expected
    assert second["labels"].heads == [0]


def test_labels_are_numbers_of_arcs_and_padding_is_none(tmp_path):
    batch = Batch(instances(tmp_path))
    vocab = Vocabulary.from_instances(batch.instances, non_padded_namespaces=["labels"])
    batch.index_instances(vocab)
    labels = batch.as_tensor_dict()["labels"]
    of = vocab.get_token_index
    nsubj, root, advmod = (of(name, "labels") for name in ("nsubj", "root", "advmod"))
    expected = [[1 + 2 * 3 + nsubj, 1 + root, 1 + 2 * 3 + advmod], [1 + root, 0, 0]]
    assert torch.equal(labels, torch.tensor(expected))


def test_a_file_without_trees_has_no_labels(tmp_path):
    text = "1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n"
    assert "labels" not in instances(tmp_path, text)[0].fields


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ("000", "line 2: expected one word with the head 0, got 3"),
        ("231", "line 1: expected heads that lead to the root, got a cycle through the word 1"),
        ("033", "line 3: .* a cycle through the word 3"),
        ("024", r"line 3: expected a head from 0, the root, to 3, .* got '4'"),
        ("0x1", r"line 2: expected a head from 0, the root, to 3, .* got 'x'"),
        ("0_1", r"line 2: .* got '_'"),
    ],
)
def test_what_is_no_tree_is_refused(tmp_path, heads, message):
    rows = [f"{i}\tw\t_\t_\t_\t_\t{head}\tdep\t_\t_\n" for i, head in enumerate(heads, 1)]
    with pytest.raises(ValueError, match=message):
        instances(tmp_path, "".join(rows))


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({"heads": [0, 1, 1]}, None),
        ({"heads": torch.tensor([0, 1, 1]).numpy()}, None),
        ({"heads": [0, 1, 4]}, r"^Word 3 of 'I do go': expected a head from 0, the root, to 3"),
        ({"heads": [0, 1, -1]}, r"^Word 3 of .* got '-1'"),
        ({"heads": [0, 1, None]}, r"^Word 3 of .* got 'None'"),
        ({"heads": [0, 3, 2]}, "^Word 3 of .* a cycle through the word 3"),
        ({"heads": [0, 0, 2]}, "^Word 2 of .* expected one word with the head 0, got 2"),
        ({"heads": [0, 1]}, "Expected a tree as a dictionary .* for 3 tokens"),
        ({"heads": [0, 1, 1], "relations": ["dep"]}, "Expected a tree as a dictionary"),
        ({"head": [0, 1, 1]}, "Expected a tree as a dictionary"),
        (["dep", "dep", "dep"], "Expected a tree as a dictionary"),
    ],
)
def test_a_tree_in_memory_is_checked(output, message):
    reader = DependencyConlluReader(relations="none")
    tokens = ["I", "do", "go"]
    if message is None:
        instance = reader.value_to_instance(tokens, Vocabulary(), output)
        assert instance["labels"].heads == list(output["heads"])
        return
    with pytest.raises(ValueError, match=message):
        reader.value_to_instance(tokens, Vocabulary(), output)


def test_several_roots_where_they_are_expected(tmp_path):
    rows = [f"{i}\tw\t_\t_\t_\t_\t0\tdep\t_\t_\n" for i in (1, 2)]
    assert instances(tmp_path, "".join(rows), single_root=False)[0]["labels"].heads == [0, 0]
    with pytest.raises(ConfigurationError, match="relations among"):
        DependencyConlluReader(relations="some")


def test_a_relation_that_is_missing_is_refused_unless_only_heads_count(tmp_path):
    rows = "1\tw\t_\t_\t_\t_\t2\t_\t_\t_\n2\tw\t_\t_\t_\t_\t0\troot\t_\t_\n"
    with pytest.raises(ValueError, match="line 1: expected a relation, got '_'; .* 'none'"):
        instances(tmp_path, rows)
    assert instances(tmp_path, rows, relations="none")[0]["labels"].heads == [2, 0]


def test_sentences_without_trees_among_others_are_refused(tmp_path):
    parsed, bare = (f"1\tw\t_\t_\t_\t_\t{head}\troot\t_\t_\n\n" for head in "0_")
    assert len(instances(tmp_path, bare + bare)) == 2
    for text, word in ((parsed + bare, "without"), (bare + parsed, "with")):
        with pytest.raises(ValueError, match=f"line 3: expected a tree .* got one {word} a tree"):
            instances(tmp_path, text)
