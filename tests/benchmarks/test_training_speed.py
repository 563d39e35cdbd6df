"""The start of a run by its log."""

import time

import pytest
from snippets import CROSS_ENTROPY

from benchmarks.training_speed import first_batch
from structured_energy.testing import train_snippet


def test_the_log_of_a_run_tells_its_first_batch(tmp_path):
    begin = time.time()
    train_snippet(CROSS_ENTROPY, tmp_path, {"trainer": {"num_epochs": 2}})
    (log,) = tmp_path.rglob("out.log")
    assert begin - 0.01 < first_batch(log.read_text()) < time.time()


def test_a_log_without_training_is_refused():
    with pytest.raises(ValueError, match="expected a line of the trainer"):
        first_batch("2026-11-28 01:13:34,778 - INFO - allennlp.common - Training data\n")
