"""Selection among samples against plain loops."""

import pytest
import torch

from structured_energy.samplers import best_sample
from structured_energy.samplers.selection import choose


@pytest.mark.parametrize("event", [(5,), (3, 4), (2, 3, 4)])
def test_the_best_sample_has_the_highest_score_of_its_instance(event):
    y, scores = torch.rand(6, 7, *event), torch.randn(6, 7)
    best = best_sample(y, scores)
    assert best.shape == (6, 1, *event)
    for i in range(6):
        ranked = sorted(range(7), key=lambda k: scores[i, k].item())
        assert torch.equal(best[i, 0], y[i, ranked[-1]])


def test_a_sample_is_chosen_as_a_whole():
    first, second = torch.rand(2, 6, 3, 2, 4)
    chosen = torch.rand(6, 3) < 0.5
    both = choose(chosen, first, second)
    for i in range(6):
        for k in range(3):
            assert torch.equal(both[i, k], (first if chosen[i, k] else second)[i, k])
