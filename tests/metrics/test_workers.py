"""Metrics of binary outputs over two workers, whose batches differ in number and size."""

import pytest
import torch
import torch.multiprocessing as mp
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from test_masked_metrics import NAMES, batch

EVERY = [*NAMES, "label-precision", "label-recall", "label-f1"]


def value(name, rows, size):
    """Return the value over these rows, or over those of all workers."""
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for label in "abcdef":
        vocab.add_token_to_namespace(label, "labels")
    metric = Metric.from_params(Params({"type": name}), vocab=vocab)
    tensors = (torch.from_numpy(each[rows]).split(size) for each in batch())
    for scores, labels, mask in zip(*tensors, strict=True):
        metric(scores, scores > 0.5, labels, mask)
    return metric.get_metric(reset=True)


def work(rank, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    rows = slice(0, 26) if rank == 0 else slice(26, 40)
    values = {name: value(name, rows, size=4 + rank) for name in EVERY}
    torch.save(values, folder / f"values_{rank}")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def of_workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    mp.start_processes(work, args=(folder,), nprocs=2, start_method="fork")
    return [torch.load(folder / f"values_{rank}") for rank in range(2)]


@pytest.mark.parametrize("name", EVERY)
def test_two_workers_report_the_value_of_all_data(name, of_workers):
    for values in of_workers:
        assert values[name] == value(name, slice(None), size=40)
