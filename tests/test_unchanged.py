"""Tensors that are still those of an earlier call."""

import torch

from structured_energy.unchanged import Unchanged


def test_a_change_in_place_and_another_tensor_are_seen():
    a, b = torch.zeros(2), torch.ones(2)
    earlier = Unchanged(a, b)
    assert earlier.still(a, b)
    assert not earlier.still(a, torch.ones(2))
    assert not earlier.still(b, a)
    b[0] = 3
    assert not earlier.still(a, b)


def test_tensors_of_inference_mode_may_have_changed():
    with torch.inference_mode():
        x = torch.zeros(2)
        assert not Unchanged(x).still(x)
