"""Metrics of binary outputs over two workers, whose batches differ in number and size."""

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.training.metrics import Metric
from test_masked_metrics import NAMES, batch
from two_workers import results_of

from structured_energy.taxonomy import Taxonomy

OF_LABELS = ["label-precision", "label-recall", "label-f1"]
OF_TAXONOMIES = ["au-prc", "hierarchical-f1", "level-f1", "violations"]
EVERY = [*NAMES, *OF_LABELS, *OF_TAXONOMIES]
TAXONOMY = Taxonomy.from_edges([("a", "b"), ("a", "c"), ("c", "d")], terms=list("abcdef"))


def value(name, rows, size):
    """Return the value over these rows, or over those of all workers."""
    vocab = Vocabulary(non_padded_namespaces=["labels", "taxonomy"])
    for label in "abcdef":
        vocab.add_token_to_namespace(label, "labels")
    for entry in TAXONOMY.entries():
        vocab.add_token_to_namespace(entry, "taxonomy")
    metric = Metric.from_params(Params({"type": name}), vocab=vocab)
    tensors = (torch.from_numpy(each[rows]).split(size) for each in batch())
    for scores, labels, mask in zip(*tensors, strict=True):
        metric(scores, scores > 0.5, labels, mask)
    return metric.get_metric(reset=True)


def work(rank):
    rows = slice(0, 26) if rank == 0 else slice(26, 40)
    return {name: value(name, rows, size=4 + rank) for name in EVERY}


@pytest.fixture(scope="module")
def of_workers(tmp_path_factory):
    return results_of(work, tmp_path_factory.mktemp("workers"))


@pytest.mark.parametrize("name", EVERY)
def test_two_workers_report_the_value_of_all_data(name, of_workers):
    for values in of_workers:
        assert values[name] == value(name, slice(None), size=40)
