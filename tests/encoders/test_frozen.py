"""A frozen encoder: every input is encoded once, whatever its batch and padding."""

import itertools
import json
import logging
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.encoders import Encoder, FrozenEncoder
from structured_energy.encoders.content_hashes import content_hash
from structured_energy.encoders.frozen import fingerprint_of, pass_sizes
from structured_energy.encoders.stored import Batch, FileStore
from structured_energy.testing import make_test_problem, train_snippet

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 5}}}
LSTM = {"type": "lstm", "input_size": 5, "hidden_size": 3, "bidirectional": True}
ENCODERS = {
    "text": {
        "type": "text",
        "embedder": EMBEDDER,
        "seq2vec_encoder": {"type": "cnn", "embedding_dim": 5, "num_filters": 2},
    },
    "tokens": {"type": "tokens", "embedder": EMBEDDER, "encoder": LSTM, "dropout": 0.5},
    "image": {"type": "u-net", "hidden": [3, 4], "num_channels": 2, "dropout": 0.5},
}
SPACE_OF = {"text": "categorical", "tokens": "categorical", "image": "image"}


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def build(kind="text", **settings):
    torch.manual_seed(0)
    problem = make_test_problem(space=SPACE_OF[kind], dtype=torch.float32)
    config = {"type": "frozen", "encoder": ENCODERS[kind], **settings}
    return Encoder.from_params(Params(json.loads(json.dumps(config))), vocab=problem.vocab), problem


def count(encoder, monkeypatch):
    """Return the list to which each call of the encoder adds its number of instances."""
    sizes = []
    original = encoder.encoder.encode

    def counted(x, mask):
        h = original(x, mask)
        sizes.append(len(h))
        return h

    monkeypatch.setattr(encoder.encoder, "encode", counted)
    return sizes


def text(rows):
    width = max(map(len, rows))
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    for row, ids in zip(tokens, rows, strict=True):
        row[: len(ids)] = torch.tensor(ids)
    return {"tokens": {"tokens": tokens}}


@pytest.mark.parametrize("store", ["memory", "file"])
@pytest.mark.parametrize("kind", list(ENCODERS))
def test_the_encodings_are_those_of_the_encoder(kind, store, monkeypatch):
    encoder, problem = build(kind, store=store)
    mask = None if kind == "text" else problem.mask
    expected = encoder.encoder.eval()(problem.x, mask)
    sizes = count(encoder, monkeypatch)
    encoder.train()
    for _ in range(3):
        h = encoder(problem.x, mask)
        assert not h.requires_grad
        real = mask if kind == "tokens" else torch.ones(h.shape[:-1], dtype=torch.bool)
        torch.testing.assert_close(h[real], expected[real])
    assert sizes == [len(problem.labels)]


@pytest.mark.parametrize("store", ["memory", "file"])
@pytest.mark.parametrize("kind", ["text", "tokens"])
def test_batches_and_padding_do_not_matter(kind, store, monkeypatch):
    encoder, _ = build(kind, store=store)
    sizes = count(encoder, monkeypatch)
    rows = [[1, 2, 3], [4, 2, 1, 3, 2], [2, 2, 2, 1]]
    first = encoder(text(rows))
    shorter = encoder(text([rows[2], rows[0]]))
    assert sizes == [3]
    expected = encoder.encoder(text([rows[2], rows[0]]))
    del sizes[1:]
    if kind == "tokens":
        shorter, expected = shorter[0], expected[0]  # the second one has padding, which is zero
        assert (first[0, 3:] == 0).all()
    torch.testing.assert_close(shorter, expected)
    encoder(text([[5, 1, 1], rows[0], [5, 1, 1]]))
    assert sizes == [3, 1]


def test_a_masked_token_may_be_anywhere():
    encoder, problem = build("tokens")
    mask = problem.mask.clone()
    mask[0, 1] = False
    h = encoder.eval()(problem.x, mask)
    torch.testing.assert_close(h[mask], encoder.encoder(problem.x, mask)[mask])


def test_a_second_run_reads_the_file(monkeypatch):
    first, problem = build(store="file")
    h = first(problem.x)
    second, _ = build(store="file")
    sizes = count(second, monkeypatch)
    assert torch.equal(second(problem.x), h) and sizes == []


def test_other_weights_and_settings_are_another_store(monkeypatch):
    encoder, problem = build()
    before = encoder(problem.x)
    weights = {key: value + 0.1 for key, value in encoder.state_dict().items()}
    encoder.load_state_dict(weights)
    after = encoder(problem.x)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, encoder.encoder(problem.x))
    sizes = count(encoder, monkeypatch)
    encoder.load_state_dict(weights)  # the same ones again
    encoder(problem.x)
    assert sizes == []
    vocab = Vocabulary(tokens_to_add={"tokens": ["a"]})
    averaged, summed = (
        Encoder.from_params(
            Params(
                {
                    "type": "text",
                    "embedder": json.loads(json.dumps(EMBEDDER)),
                    "seq2vec_encoder": {"type": "boe", "embedding_dim": 5, "averaged": averaged},
                }
            ),
            vocab=vocab,
        )
        for averaged in (True, False)
    )
    summed.load_state_dict(averaged.state_dict())
    assert fingerprint_of(averaged) != fingerprint_of(summed)


def test_dropout_follows_the_store():
    encoder, problem = build(dropout=0.5)
    encoder.eval()
    h = encoder(problem.x)
    encoder.train()
    first, second = encoder(problem.x), encoder(problem.x)
    assert not torch.equal(first, second)
    kept = first != 0
    torch.testing.assert_close(first[kept], 2 * h[kept])


def test_a_full_store_encodes_each_time_and_says_so_once(monkeypatch, caplog):
    encoder, problem = build(limit_gib=1e-8)
    sizes = count(encoder, monkeypatch)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            torch.testing.assert_close(encoder(problem.x), encoder.encoder(problem.x))
    assert len(sizes) >= 4
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([warning for warning in warnings if "limit_gib" in warning.message]) == 1


def test_a_full_store_encodes_a_batch_once(monkeypatch):
    encoder, problem = build(limit_gib=1e-8)
    encoder(problem.x)
    sizes = count(encoder, monkeypatch)
    encoder(problem.x)
    assert sizes == [len(problem.labels)]


BATCH = Batch([bytes([number]) * 16 for number in range(4)], 2, np.array([1, 2, 1, 2]))
VECTORS = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def file_store(folder, limit=72):
    return FileStore(3, np.dtype("float32"), limit, folder)


def test_a_file_that_other_processes_filled_is_full(tmp_path):
    assert file_store(tmp_path).put(BATCH, [0, 1, 2, 3], VECTORS)
    store = file_store(tmp_path)
    other = Batch([b"another content."], 1)
    assert not store.put(other, [0], VECTORS[:1, :1])
    assert store.missing(other) == [0] and store.missing(BATCH) == []
    expected = np.where(np.array([[1, 0], [1, 1], [1, 0], [1, 1]])[..., None], VECTORS, 0)
    assert (store.get(BATCH) == expected).all()


def test_a_process_finds_what_another_one_stored_meanwhile(tmp_path):
    forked = multiprocessing.get_context("fork")
    is_open, is_filled = forked.Event(), forked.Event()

    def fill():
        is_open.wait(60)
        if file_store(tmp_path).put(BATCH, [0, 1], VECTORS[:2]):
            is_filled.set()

    other = forked.Process(target=fill)
    other.start()
    store = file_store(tmp_path)
    assert store.missing(BATCH) == [0, 1, 2, 3] and store.get(BATCH) is None
    is_open.set()
    assert is_filled.wait(60)
    other.join()
    assert store.missing(BATCH) == [2, 3]
    assert store.put(BATCH, [3, 2], VECTORS[[3, 2]]) and store.missing(BATCH) == []
    assert (store.get(BATCH)[3] == VECTORS[3]).all() and (store.get(BATCH)[1] == VECTORS[1]).all()
    assert not store.put(Batch([b"another content."], 1), [0], VECTORS[:1, :1])


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"12")])
def test_a_file_of_vectors_that_was_deleted_or_cut_is_filled_anew(damage, tmp_path):
    assert file_store(tmp_path).put(BATCH, [0, 1, 2, 3], VECTORS)
    damage(tmp_path / "vectors")
    store = file_store(tmp_path)
    assert store.missing(BATCH) == [0, 1, 2, 3]
    assert store.put(BATCH, [0, 1, 2, 3], VECTORS)
    assert (store.get(BATCH)[1] == VECTORS[1]).all()


def test_replaced_weights_are_another_store():
    encoder, problem = build()
    before = encoder(problem.x)
    weights = {key: value + 0.1 for key, value in encoder.state_dict().items()}
    encoder.load_state_dict(weights, assign=True)
    after = encoder(problem.x)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, encoder.encoder(problem.x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_encodings_of_weights_of_every_precision_are_stored(dtype):
    encoder, problem = build("image")
    encoder.to(dtype)
    x = problem.x.to(dtype)
    expected = encoder.encoder(x)
    for _ in range(2):
        h = encoder(x)
        assert h.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
        torch.testing.assert_close(h, expected.to(h.dtype))


@pytest.mark.parametrize("per_pass", [0, 3, 24, 10**6])
def test_texts_are_encoded_in_the_passes_with_the_fewest_tokens(per_pass):
    generator = np.random.default_rng(per_pass)
    for count in range(1, 9):
        lengths = np.sort(generator.integers(1, 40, size=count))
        sizes = pass_sizes(lengths, per_pass)
        assert sum(sizes) == count and min(sizes) > 0

        def tokens(sizes, lengths=lengths):
            ends = np.cumsum(sizes)
            return sum(
                size * lengths[end - 1] + per_pass for size, end in zip(sizes, ends, strict=True)
            )

        cuts = itertools.product([False, True], repeat=count - 1)
        edges = [[0, *(i + 1 for i, is_cut in enumerate(cut) if is_cut), count] for cut in cuts]
        assert tokens(sizes) == min(tokens(np.diff(each)) for each in edges)
    assert max(pass_sizes(np.ones(600), 10**6)) <= 256


def test_hashes_depend_on_content_and_place_and_not_on_padding():
    rng = np.random.default_rng(0)
    for values in (
        rng.integers(0, 9, (500, 6, 4)),
        rng.random((500, 6, 4), dtype=np.float32),
        rng.integers(0, 2, (500, 6, 4)).astype(bool),
    ):
        keys = content_hash(values)
        assert len(np.unique(keys, axis=0)) == len(np.unique(values, axis=0))
        padded = np.pad(values, ((0, 0), (0, 3), (0, 2)))
        assert (content_hash(padded) == keys).all()
        assert (content_hash(values[:, ::-1]) != keys).all()
        assert (content_hash(values, number=1) != keys).all()
    halves = np.float32(2.0) ** -np.arange(120, dtype=np.float32)[:, None]  # only bits at the top
    assert len(np.unique(content_hash(halves), axis=0)) == 120


@pytest.mark.parametrize(
    "settings", [{"store": "disk"}, {"dropout": 1.0}, {"limit_gib": 0}, {"dropout": -0.1}]
)
def test_bad_settings_are_named(settings):
    with pytest.raises(ConfigurationError, match="of the encoder 'frozen', got"):
        build(**settings)


@pytest.mark.parametrize("kind", ["tokens", "image"])
def test_an_input_of_another_kind_is_named(kind):
    encoder, _ = build(kind)
    x = make_test_problem(space="categorical").x if kind == "image" else torch.rand(2, 3)
    with pytest.raises(ValueError, match="^Expected "):
        encoder(x)


def test_half_precision_is_stored_in_single():
    encoder, problem = build("image")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        h = encoder(problem.x)
        expected = encoder.encoder(problem.x)
    assert h.dtype == torch.float32
    torch.testing.assert_close(h, expected.float())


def test_an_encoding_that_changes_cannot_be_stored():
    problem = make_test_problem()
    with pytest.raises(ConfigurationError, match="whose encodings change in training"):
        FrozenEncoder(problem.build(Encoder, "'task-network'"))


FROZEN = """
    local encoder = {
      type: 'feedforward',
      encoder: {
        type: 'frozen',
        encoder: {
          type: 'feedforward',
          feedforward: { num_layers: 1, hidden_dims: 8, activations: 'tanh' },
        },
        store: '%s',
      },
      feedforward: { num_layers: 1, hidden_dims: 6, activations: 'softplus' },
    };
    {
      model: {
        type: 'structured-energy',
        output_space: 'binary',
        metrics: ['example-f1'],
        task_network: { encoder: encoder },
        score_network: { encoder: encoder },
        loss: 'margin-based',
        oracle_value: 'per-instance-f1',
        sampler: { type: 'inference-network', loss: 'cross-entropy' },
      },
      trainer: { type: 'minimax', optimizer: 'adam', num_epochs: 3 },
    }
"""


@pytest.mark.parametrize("store", ["memory", "file"])
def test_it_stays_as_it_was_while_what_follows_it_learns(store, tmp_path):
    untrained = train_snippet(FROZEN % store, tmp_path / "0", {"trainer": {"num_epochs": 1}})
    trained = train_snippet(FROZEN % store, tmp_path / "3")
    for network in ("task_network", "score_network"):
        before, after = (getattr(model, network).encoder for model in (untrained, trained))
        for name, value in before.encoder.state_dict().items():
            assert torch.equal(value, after.encoder.state_dict()[name])
        changed = before.feedforward.state_dict()
        for name, value in after.feedforward.state_dict().items():
            assert not torch.equal(value, changed[name])
