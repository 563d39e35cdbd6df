"""The random generators of a recovered run, compared with those of a whole run."""

import random

import pytest
import torch

from structured_energy.training.random_state import RandomState


class Loader:
    """A loader that may declare its epochs independent."""

    def __init__(self, independent):
        self.independent_epochs = independent


def epochs(state, first, last, draw_more):
    """Return the number that each epoch draws for its data, as a shuffling loader does."""
    drawn = []
    for epoch in range(first, last):
        state.start_epoch(epoch)
        drawn.append(random.random())
        if draw_more:
            random.random()  # as a shuffled validation set does
    return drawn


@pytest.mark.parametrize("independent", [True, False])
def test_a_recovered_run_draws_the_data_of_the_whole_run(independent):
    loader = Loader(independent)
    random.seed(5)
    whole = epochs(RandomState(torch.device("cpu"), loader), 0, 5, draw_more=True)
    random.seed(5)
    state = RandomState(torch.device("cpu"), loader)
    epochs(state, 0, 3, draw_more=True)
    saved = state.state_dict(between_epochs=True)
    random.seed(77)  # another process
    recovered = RandomState(torch.device("cpu"), loader)
    recovered.load_state_dict(saved)
    again = epochs(recovered, 0, 3, draw_more=False)  # data are read again, without validation
    assert epochs(recovered, 3, 5, draw_more=True) == whole[3:]
    assert independent or again == whole[:3]


def test_the_state_has_a_constant_size_for_independent_epochs():
    for independent, count in ((True, 1), (False, 50)):
        state = RandomState(torch.device("cpu"), Loader(independent))
        epochs(state, 0, 50, draw_more=False)
        assert len(state.state_dict(between_epochs=False)["epochs"]) == count
        assert 50 in state.state_dict(between_epochs=True)["epochs"]
