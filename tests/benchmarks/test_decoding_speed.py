"""The benchmark of decoding: every inference runs, and the library's agrees with ours."""

import sys

import pytest
import torch
from allennlp.data import Batch, Vocabulary

from benchmarks import decoding_speed


@pytest.fixture(scope="module")
def data():
    instances = decoding_speed.sentences(3, 6, 7)
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances)
    batch.index_instances(vocab)
    return vocab, batch.as_tensor_dict()


def test_the_sizes_are_those_that_were_asked_for(data):
    vocab, batch = data
    assert batch["mask"].shape == (3, 6) and batch["mask"].all()
    assert vocab.get_vocab_size("labels") == 7


def test_the_library_s_decoding_finds_what_ours_finds(data):
    vocab, batch = data
    torch.manual_seed(0)
    samplers = {name: sampler for name, _, sampler in decoding_speed.inferences(vocab)}
    with torch.no_grad():
        ours, theirs = (
            samplers[name].sample(batch["x"], None, batch["mask"]).y
            for name in ("crf, Viterbi", "crf, AllenNLP's Viterbi")
        )
    assert ours.shape == (3, 1, 6, 7) and torch.equal(ours, theirs)


def test_every_inference_is_timed(data):
    torch.manual_seed(0)
    with torch.no_grad():
        figures = decoding_speed.figures(*data, repeats=1)
    assert len(figures) == 6
    assert all(whole > 0 and decoding > 0 for whole, decoding in figures.values())


def test_a_table_is_printed(monkeypatch, capsys):
    sizes = ["--sentences", "2", "--tokens", "3", "--tags", "4", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["decoding_speed.py", *sizes])
    decoding_speed.main()
    printed = capsys.readouterr().out
    assert "2 sentences of 3 tokens, 4 tags" in printed and "crf, Viterbi" in printed
