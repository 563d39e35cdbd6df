"""Decoders over two workers, whose batches differ in number and size."""

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from two_workers import results_of

from structured_energy.decoders import Decoder, Observation, Prediction
from structured_energy.output_spaces import BinaryOutputSpace

DECODERS = {
    "threshold": {"candidates": 9},
    "relative": {"metric": "macro-f1"},
    "relative-and-absolute": {},
    "top-k": {},
    "per-label": {},
    "at-least-one": {"decoder": "threshold"},
    "expected-f1": {},
}


def fitted(name, rows, size):
    """Return the decoder fitted to these rows, or to those of all workers."""
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for label in "abcdef":
        vocab.add_token_to_namespace(label, "labels")
    decoder = Decoder.from_params(
        Params({"type": name, **DECODERS[name]}), vocab=vocab, output_space=BinaryOutputSpace()
    )
    generator = torch.Generator().manual_seed(0)
    labels = torch.rand(40, 6, generator=generator) < 0.3
    p = 0.3 * labels + 0.7 * torch.rand(40, 6, generator=generator)
    parts = zip(p[rows].split(size), labels[rows].split(size), strict=True)
    decoder.fit([Observation(Prediction(scores), y) for scores, y in parts])
    return decoder.state_dict()


def work(rank):
    rows = slice(0, 26) if rank == 0 else slice(26, 40)
    return {name: fitted(name, rows, size=4 + rank) for name in DECODERS}


@pytest.fixture(scope="module")
def of_workers(tmp_path_factory):
    return results_of(work, tmp_path_factory.mktemp("workers"))


@pytest.mark.parametrize("name", DECODERS)
def test_two_workers_fit_what_one_fits_to_all_data(name, of_workers):
    expected = fitted(name, slice(None), size=40)
    for states in of_workers:
        assert states[name].keys() == expected.keys()
        for key, value in expected.items():
            assert torch.equal(states[name][key], value), key
