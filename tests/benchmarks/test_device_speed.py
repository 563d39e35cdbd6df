"""The comparison of training with plain loops on a device."""

import pytest
import torch

from benchmarks.device_speed import EMBEDDED, compare


@pytest.mark.parametrize("name", EMBEDDED)
def test_both_sides_train_on_the_embedded_data(name):
    count, compared, waits = compare(name, torch.device("cpu"), repeats=1, batch_size=512)
    assert count == 1078
    assert all(seconds > 0 for side in compared for seconds in side)
    assert not waits  # counted on a CUDA device
