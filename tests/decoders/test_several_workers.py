"""Decoders over two workers, whose batches differ in number and size."""

import pytest
import torch
import torch.multiprocessing as mp
from allennlp.common import Params
from allennlp.data import Vocabulary

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


def work(rank, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    rows = slice(0, 26) if rank == 0 else slice(26, 40)
    states = {name: fitted(name, rows, size=4 + rank) for name in DECODERS}
    torch.save(states, folder / f"states_{rank}")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def of_workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    mp.start_processes(work, args=(folder,), nprocs=2, start_method="fork")
    return [torch.load(folder / f"states_{rank}") for rank in range(2)]


@pytest.mark.parametrize("name", DECODERS)
def test_two_workers_fit_what_one_fits_to_all_data(name, of_workers):
    expected = fitted(name, slice(None), size=40)
    for states in of_workers:
        assert states[name].keys() == expected.keys()
        for key, value in expected.items():
            assert torch.equal(states[name][key], value), key
