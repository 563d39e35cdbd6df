"""Encodings with mean 0 and variance 1 over the training data."""

import copy
import functools

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.models import Model

from structured_energy.data import TensorDataLoader
from structured_energy.encoders import Encoder, Moments, StandardizedEncoder
from structured_energy.testing import make_test_problem, write_texts

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 5}}}
TOKENS = {"type": "tokens", "embedder": EMBEDDER}
TEXT = {"type": "text", "embedder": EMBEDDER}
FROZEN = {"type": "frozen", "encoder": TEXT}
LAYERS = {"num_layers": 1, "hidden_dims": 4, "activations": "softplus", "dropout": 0.5}
MODEL = {
    "type": "structured-energy",
    "output_space": "binary",
    "task_network": {
        "encoder": {
            "type": "feedforward",
            "encoder": {"type": "standardized", "encoder": FROZEN, "dropout": 0.5},
            "feedforward": LAYERS,
        }
    },
    "sampler": {"type": "inference-network", "loss": "cross-entropy"},
}


def build(config, vocab=None):
    vocab = vocab or make_test_problem(space="categorical").vocab
    return Encoder.from_params(Params(copy.deepcopy(config)), vocab=vocab)


def test_moments_of_parts_are_those_of_the_whole():
    torch.manual_seed(0)
    h = 1000 + torch.randn(101, 3, dtype=torch.float64)
    parts = [Moments.of(part) for part in (h[:0], h[:0], *h.split(20))]  # workers without data
    merged = functools.reduce(Moments.merged, parts)
    assert merged.number == 101
    torch.testing.assert_close(merged.mean, h.mean(0))
    torch.testing.assert_close(merged.squares / 101, h.var(0, correction=0))


@pytest.fixture
def fitted(tmp_path):
    """A model that was fitted to texts, and a batch of all of them."""
    torch.manual_seed(0)
    path = write_texts(tmp_path, "train", 600)
    settings = {"columns": ["text", "labels", "id"], "label_separator": ","}
    settings["labels_file"] = str(tmp_path / "labels.txt")
    reader = DatasetReader.from_params(Params({"type": "multi-label-text", **settings}))
    loader = TensorDataLoader(reader, str(path), batch_size=600)
    vocab = Vocabulary.from_instances(loader.iter_instances())
    loader.index_with(vocab)
    model = Model.from_params(Params(copy.deepcopy(MODEL)), vocab=vocab)
    model.prepare(loader)
    (batch,) = loader
    return model, loader, batch


def test_the_training_data_have_mean_0_and_variance_1(fitted):
    model, loader, batch = fitted
    (part,) = [part for part in model.modules() if isinstance(part, StandardizedEncoder)]
    assert part.training and part.is_fitted
    h = part.eval()(batch["x"], None)
    torch.testing.assert_close(h.mean(0), torch.zeros(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(h.var(0, correction=0), torch.ones(10), atol=1e-4, rtol=0)
    part.train()
    assert 0.4 < (part(batch["x"], None) == 0).float().mean() < 0.6  # dropout


def test_it_is_fitted_once_and_saved(fitted):
    model, loader, batch = fitted
    shift = model.task_network.encoder.encoder.shift.clone()
    assert shift.any()
    with torch.no_grad():
        for parameter in model.task_network.encoder.encoder.parameters():
            parameter.add_(1)
    model.prepare(loader)
    assert torch.equal(model.task_network.encoder.encoder.shift, shift)
    loaded = Model.from_params(Params(copy.deepcopy(MODEL)), vocab=model.vocab)
    loaded.load_state_dict(model.state_dict())
    loaded.prepare(loader)
    assert torch.equal(loaded.task_network.encoder.encoder.shift, shift)


def test_a_constant_feature_is_shifted():
    encoder = build({"type": "standardized", "encoder": FROZEN})
    h = torch.tensor([[3.0, 0.0], [3.0, 2.0]]).repeat(1, 5)
    encoder.fit(Moments.of(h))
    assert encoder.scale[:2].tolist() == [1, 1]
    assert encoder.shift[:2].tolist() == [3, 1]


def test_real_tokens_have_mean_0_and_variance_1(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "train.txt"
    lengths = [1 + number % 7 for number in range(100)]
    path.write_text("\n\n".join("\n".join(f"w{n}\tT{n % 2}" for n in range(k)) for k in lengths))
    reader = DatasetReader.from_params(Params({"type": "tagging-conll", "separator": "tab"}))
    loader = MultiProcessDataLoader(reader, str(path), batch_size=100)
    vocab = Vocabulary.from_instances(loader.iter_instances())
    loader.index_with(vocab)
    config = copy.deepcopy(MODEL)
    config["output_space"] = "categorical"
    frozen = {"type": "frozen", "encoder": TOKENS}
    config["task_network"]["encoder"]["encoder"] = {"type": "standardized", "encoder": frozen}
    model = Model.from_params(Params(config), vocab=vocab).double()
    model.prepare(loader)
    (batch,) = loader
    h = model.task_network.encoder.encoder(batch["x"], batch["mask"])[batch["mask"]]
    assert len(h) == sum(lengths)
    torch.testing.assert_close(h.mean(0), torch.zeros_like(h[0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(h.var(0, correction=0), torch.ones_like(h[0]), atol=1e-6, rtol=0)


def test_other_encoders_and_dropouts_are_refused():
    for encoder, name in ((TEXT, "TextEncoder"), (TOKENS, "TokenEncoder")):
        with pytest.raises(ConfigurationError, match=f"got {name}, which is trained"):
            build({"type": "standardized", "encoder": encoder})
    with pytest.raises(ConfigurationError, match="a dropout in \\[0, 1\\) of the encoder"):
        build({"type": "standardized", "encoder": FROZEN, "dropout": 1.0})
