"""Encodings of tokens and texts against plain loops over sentences without padding."""

import copy

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from structured_energy.encoders import Encoder
from structured_energy.testing import make_test_problem

SIZE = 5
EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": SIZE}}}
LSTM = {"type": "lstm", "input_size": SIZE, "hidden_size": 3, "bidirectional": True}
FEEDFORWARD = {"num_layers": 1, "hidden_dims": 4, "activations": "tanh"}
LENGTHS = [6, 1, 4]


def build(**settings):
    torch.manual_seed(0)
    vocab = make_test_problem(space="categorical").vocab
    return Encoder.from_params(Params(copy.deepcopy(settings)), vocab=vocab).eval()


@pytest.fixture()
def words():
    """Sentences, with zeros in their padding."""
    torch.manual_seed(1)
    words = torch.randint(2, 8, (len(LENGTHS), max(LENGTHS)))
    for row, length in enumerate(LENGTHS):
        words[row, length:] = 0
    return words


def test_a_sequence_continues_an_encoder_of_tokens(words):
    whole = build(type="tokens", embedder=EMBEDDER, encoder=LSTM)
    tokens = {"type": "tokens", "embedder": EMBEDDER}
    parts = build(type="sequence", encoder=tokens, sequence=LSTM)
    parts.encoder.embedder.load_state_dict(whole.embedder.state_dict())
    parts.sequence.load_state_dict(whole.encoder.state_dict())
    x = text_of(words)
    for mask in (None, words > 0, torch.rand(words.shape) < 0.6):
        torch.testing.assert_close(parts(x, mask), whole(x, mask), atol=0, rtol=0)


def test_a_sequence_refuses_other_sizes_and_encoders_of_texts():
    text = {"type": "text", "embedder": EMBEDDER}
    with pytest.raises(ConfigurationError, match="got TextEncoder, which has 0 dimensions"):
        build(type="sequence", encoder=text, sequence=LSTM)
    tokens = {"type": "tokens", "embedder": EMBEDDER}
    with pytest.raises(ConfigurationError, match="input size of 'sequence' to be 5"):
        build(type="sequence", encoder=tokens, sequence={**LSTM, "input_size": 4})


def text_of(words):
    return {"tokens": {"tokens": words}}


def sentences(encoder, words):
    """Return the embedded words of each sentence by itself."""
    table = encoder.embedder.token_embedder_tokens.weight
    return [table[row[:length]] for row, length in zip(words, LENGTHS, strict=True)]


def lstm_states(module, embedded):
    """Return the states of a one-layer LSTM over one sentence, token by token, by direction."""
    hidden = module.hidden_size
    directions = []
    for suffix in ("", "_reverse") if module.bidirectional else ("",):
        of_x, of_h, b_x, b_h = (
            getattr(module, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h = c = torch.zeros(hidden)
        states = []
        for x in embedded.flip(0) if suffix else embedded:
            i, f, g, o = (of_x @ x + b_x + of_h @ h + b_h).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            states.append(h)
        directions.append(torch.stack(states[::-1] if suffix else states))
    return directions


def mean(v, embedded):
    return embedded.mean(0)


def total(v, embedded):
    return embedded.sum(0)


def last_states(v, embedded):
    forward, *backward = lstm_states(v._module, embedded)
    return torch.cat([forward[-1], *(states[0] for states in backward)])


def convolved(v, embedded):
    """Return the largest activation of each filter over the windows of the text; 0 without one."""
    outputs = []
    for width in (2, 5):
        layer = getattr(v, f"conv_layer_{(2, 5).index(width)}")
        windows = [
            torch.einsum("ock,kc->o", layer.weight, embedded[start : start + width]) + layer.bias
            for start in range(len(embedded) - width + 1)
        ]
        largest = torch.stack(windows).amax(0) if windows else torch.zeros(layer.out_channels)
        outputs.append(largest.clamp(min=0))
    return torch.cat(outputs)


VECTORS = {
    "mean": ({"type": "boe", "embedding_dim": SIZE, "averaged": True}, mean),
    "sum": ({"type": "boe", "embedding_dim": SIZE}, total),
    "lstm": ({"type": "lstm", "input_size": SIZE, "hidden_size": 4}, last_states),
    "both directions": (LSTM, last_states),
    "cnn": (
        {"type": "cnn", "embedding_dim": SIZE, "num_filters": 3, "ngram_filter_sizes": [2, 5]},
        convolved,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_text_is_the_vector_of_its_words(name, words):
    settings, expected = VECTORS[name]
    encoder = build(type="text", embedder=EMBEDDER, seq2vec_encoder=settings)
    h = encoder(text_of(words))
    v = encoder.seq2vec_encoder
    plain = [expected(v, embedded) for embedded in sentences(encoder.tokens, words)]
    torch.testing.assert_close(h, torch.stack(plain))
    assert encoder.output_size == h.shape[1] and encoder.position_dims == 0


def test_texts_shorter_than_all_windows_have_no_activation():
    settings, expected = VECTORS["cnn"]
    encoder = build(type="text", embedder=EMBEDDER, seq2vec_encoder=settings)
    for length in (1, 3):
        words = torch.full((1, length), 4)
        embedded = encoder.tokens.embedder.token_embedder_tokens.weight[words[0]]
        h = encoder(text_of(words))
        torch.testing.assert_close(h[0], expected(encoder.seq2vec_encoder, embedded))
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(encoder(text_of(words)).float(), h, atol=0.05, rtol=0.05)


def test_the_words_are_encoded_before_and_the_vector_after(words):
    encoder = build(
        type="text",
        embedder=EMBEDDER,
        encoder=LSTM,
        seq2vec_encoder={"type": "boe", "embedding_dim": 6, "averaged": True},
        feedforward=FEEDFORWARD,
    )
    (layer,) = encoder.feedforward._linear_layers
    for row, embedded in zip(
        encoder(text_of(words)), sentences(encoder.tokens, words), strict=True
    ):
        states = torch.cat(lstm_states(encoder.tokens.encoder._module, embedded), dim=1)
        torch.testing.assert_close(row, torch.tanh(layer(states.mean(0))))


def test_the_mask_of_labels_is_not_that_of_words(words):
    settings, _ = VECTORS["mean"]
    encoder = build(type="text", embedder=EMBEDDER, seq2vec_encoder=settings)
    labels = torch.zeros(len(words), 9, dtype=torch.bool)
    assert torch.equal(encoder(text_of(words), labels), encoder(text_of(words)))


def test_tokens_are_their_embeddings(words):
    encoder = build(type="tokens", embedder=EMBEDDER)
    h = encoder(text_of(words), words > 0)
    for row, embedded in zip(h, sentences(encoder, words), strict=True):
        torch.testing.assert_close(row[: len(embedded)], embedded)


@pytest.mark.parametrize("masked", [False, True])
def test_tokens_are_encoded_in_their_sentence(masked, words):
    encoder = build(type="tokens", embedder=EMBEDDER, encoder=LSTM)
    h = encoder(text_of(words), words > 0 if masked else None)
    assert encoder.output_size == 6
    for row, embedded in zip(h, sentences(encoder, words), strict=True):
        states = torch.cat(lstm_states(encoder.encoder._module, embedded), dim=1)
        torch.testing.assert_close(row[: len(embedded)], states)


def test_dropout_is_of_embeddings_and_of_encodings(words):
    encoder = build(type="tokens", embedder=EMBEDDER, dropout=0.5).train()
    h = encoder(text_of(words.clamp(min=2)))
    (table,) = encoder.embedder.parameters()
    embedded = table[words.clamp(min=2)]
    torch.testing.assert_close(h, torch.where(h == 0, 0.0, 2 * embedded))
    assert 0.2 < (h == 0).float().mean() < 0.8
    encoder = build(type="tokens", embedder=EMBEDDER, encoder=LSTM, dropout=0.5).train()
    assert 0.2 < (encoder(text_of(words.clamp(min=2))) == 0).float().mean() < 0.8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"type": "tokens", "encoder": {**LSTM, "input_size": 4}},
            "input size of 'encoder' to be 5, .* got 4",
        ),
        (
            {"type": "text", "seq2vec_encoder": {"type": "boe", "embedding_dim": 7}},
            "input size of 'seq2vec_encoder' to be 5, .* got 7",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        build(embedder=EMBEDDER, **settings)


def test_feature_vectors_are_no_text():
    for name, more in (
        ("tokens", {}),
        ("text", {"seq2vec_encoder": {"type": "boe", "embedding_dim": 5}}),
    ):
        with pytest.raises(ValueError, match="Expected the tensors of a text field .*, got Tensor"):
            build(type=name, embedder=EMBEDDER, **more)(torch.rand(2, 5))


def test_words_are_no_feature_vectors(words):
    problem = make_test_problem()
    encoder = problem.build(
        Encoder,
        "{type: 'feedforward', feedforward: {num_layers: 1, hidden_dims: 4, activations: 'tanh'}}",
    )
    (layer,) = encoder.feedforward._linear_layers
    torch.testing.assert_close(encoder(problem.x), torch.tanh(layer(problem.x)))
    for x in (text_of(words), problem.x[:, :4]):
        with pytest.raises(ValueError, match=r"Expected feature vectors \(batch, 5\) .*, got"):
            encoder(x)
    params = Params({"type": "feedforward", "feedforward": {**FEEDFORWARD}})
    with pytest.raises(
        ConfigurationError, match="Expected data with feature vectors .* 'features'"
    ):
        Encoder.from_params(params, vocab=Vocabulary())
