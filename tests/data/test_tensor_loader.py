"""The tensor data loader against AllenNLP's own, and its shares in distributed training."""

import random

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.fields import FlagField

from structured_energy.data import (
    ArffReader,
    DigitsCompletionReader,
    RandomFlip,
    TensorDataLoader,
    tensor_loader,
)
from structured_energy.testing import write_arff

DIGITS = "embedded://digits/validation"


def batches(loader, epochs=1):
    return [batch for _ in range(epochs) for batch in loader]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 7},
        {"batch_size": 7, "shuffle": True},
        {"batch_size": 100, "drop_last": True},
        {"batch_size": 90, "batches_per_epoch": 3, "shuffle": True},
        {"batch_size": 7, "batches_per_epoch": 120},
    ],
    ids=str,
)
def test_batches_are_those_of_the_multiprocess_loader(settings, sparse, tmp_path):
    reader = DigitsCompletionReader()
    path = DIGITS
    if sparse:
        reader, path = ArffReader(), tmp_path / "wide.arff"
        attributes = "".join(f"@attribute f{i} numeric\n" for i in range(60))
        rows = "".join(f"{{{i % 60} {i + 1},60 1}}\n" for i in range(200))
        path.write_text(f"@relation 'x: -C -1'\n{attributes}@attribute y {{0,1}}\n@data\n{rows}")
    ours = TensorDataLoader(reader, str(path), **settings)
    theirs = MultiProcessDataLoader(reader, str(path), quiet=True, **settings)
    vocab = Vocabulary.from_instances(ours.iter_instances())
    for loader in (ours, theirs):
        loader.index_with(vocab)
    assert len(ours) == len(theirs) or settings.get("drop_last")
    results = []
    for loader in (ours, theirs):
        random.seed(5)
        results.append(batches(loader, epochs=2))
    assert len(results[0]) == len(results[1])
    for first, second in zip(*results, strict=True):
        assert first.keys() == second.keys()
        for key, value in first.items():
            torch.testing.assert_close(value, second[key], rtol=0, atol=0)


@pytest.mark.parametrize("rows", [7, 16, 17, 33])
@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_workers_share_out_every_instance_in_equally_many_batches(
    tmp_path, rows, world, batch_size
):
    path = str(write_arff(tmp_path, "train", rows))
    loaders = []
    for rank in range(world):
        loader = TensorDataLoader(ArffReader(), path, batch_size, shuffle=True)
        loader._rank, loader._world = rank, world
        loader.index_with(Vocabulary.from_instances(loader.iter_instances()))
        loaders.append(loader)
    assert len({len(loader) for loader in loaders}) == 1
    seen = []
    for loader in loaders:
        random.seed(2)
        made = batches(loader)
        assert len(made) == len(loader)
        assert all(0 < len(batch["x"]) <= batch_size + (batch_size == 1) for batch in made)
        seen += [tuple(row) for batch in made for row in batch["x"].tolist()]
    loaders[0]._rank, loaders[0]._world, loaders[0].shuffle = 0, 1, False
    everything = [tuple(row) for batch in loaders[0] for row in batch["x"].tolist()]
    assert sorted(seen) == sorted(everything)


def test_max_instances_and_the_reader_s_own(tmp_path):
    path = str(write_arff(tmp_path, "train", 20))
    assert len(TensorDataLoader(ArffReader(), path, 4, max_instances=6)._instances) == 6
    assert len(TensorDataLoader(ArffReader(max_instances=5), path, 4)._instances) == 5


def test_bad_use_is_named(tmp_path, monkeypatch):
    path = str(write_arff(tmp_path, "train", 4))
    with pytest.raises(ConfigurationError, match="batch_size .* at least 1, got 0"):
        TensorDataLoader(ArffReader(), path, 0)
    with pytest.raises(ConfigurationError, match="at least one batch of 5 .*, got 4 instances"):
        TensorDataLoader(ArffReader(), path, 5, drop_last=True)
    with pytest.raises(ConfigurationError, match="Expected images .*, got 'x' of .* as RowField"):
        TensorDataLoader(ArffReader(), path, 2, augmentations=[RandomFlip()])
    with monkeypatch.context() as patch:
        patch.setattr(tensor_loader, "num_workers", lambda: 5)
        with pytest.raises(ValueError, match="each of 5 workers in .*, got 4"):
            TensorDataLoader(ArffReader(), path, 2)
    with pytest.raises(ValueError, match="indexed with a vocabulary first"):
        next(iter(TensorDataLoader(ArffReader(), path, 2)))

    class Other(ArffReader):
        def _read(self, file_path):
            yield Instance({"flag": FlagField(1)})

    with pytest.raises(ConfigurationError, match="'flag' of type FlagField"):
        TensorDataLoader(Other(), path, 2)


def test_digits_splits_are_disjoint_and_known():
    splits = ["train", "validation", "test"]
    sizes = [len(list(DigitsCompletionReader().read(f"embedded://digits/{s}"))) for s in splits]
    assert sizes == [1078, 360, 359]
    with pytest.raises(ConfigurationError, match="got 'embedded://digits/dev'"):
        list(DigitsCompletionReader().read("embedded://digits/dev"))
