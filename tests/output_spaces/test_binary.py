"""The binary output space, against enumeration and scipy."""

import itertools

import numpy as np
import pytest
import torch
from scipy import special, stats

from structured_energy.output_spaces import BinaryOutputSpace

SPACE = BinaryOutputSpace()


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def corners(size):
    """All outputs of a size, `(1, 2 ** size, size)`."""
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=size))).unsqueeze(0)


def test_log_probabilities_are_those_of_independent_coins():
    logits = 2 * torch.randn(1, 1, 4)
    log_prob = SPACE.log_prob(logits, corners(4))
    p = special.expit(logits[0, 0].numpy())
    expected = stats.bernoulli.logpmf(corners(4)[0].numpy(), p).sum(1)
    np.testing.assert_allclose(log_prob[0].numpy(), expected)
    assert log_prob.exp().sum().item() == pytest.approx(1)


def test_masked_entries_count_nowhere_even_if_they_are_nan():
    mask = torch.tensor([[True, False, True]])
    logits = torch.tensor([[[0.3, torch.nan, -2.0]]])
    y = torch.tensor([[[1.0, torch.nan, 0.0]]])
    expected = np.log(special.expit([0.3, 2.0])).sum()
    assert SPACE.log_prob(logits, y, mask).item() == pytest.approx(expected)
    assert SPACE.distance(y, 1 - y, mask).item() == 1
    values = torch.tensor([[[1.0, torch.nan, 3.0]]])
    assert SPACE.sum_positions(values, mask).item() == 4


def test_the_projection_is_the_nearest_point_of_the_cube():
    point = 2 * torch.randn(5, 1, 3)
    nearest = np.minimum(np.maximum(point.numpy(), 0), 1)
    np.testing.assert_array_equal(SPACE.project(point).numpy(), nearest)


def test_the_distance_is_the_share_of_the_known_entries_that_differ():
    y, other = corners(3)[:, 5:6], corners(3)  # 1, 0, 1
    expected = [(corner != y[0, 0]).double().mean() for corner in other[0]]
    torch.testing.assert_close(SPACE.distance(y, other)[0], torch.stack(expected))
    mask = torch.tensor([[True, True, False]])
    expected = [(corner != y[0, 0])[:2].double().mean() for corner in other[0]]
    torch.testing.assert_close(SPACE.distance(y, other, mask)[0], torch.stack(expected))


def test_smoothing_moves_the_edge_only():
    y = torch.tensor([0.0, 0.3, 1.0])
    torch.testing.assert_close(SPACE.smooth(y, 0.2), torch.tensor([0.1, 0.3, 0.9]))


def test_a_label_is_on_strictly_above_a_half():
    y = torch.tensor([[0.2, 0.5, 0.7]])
    assert SPACE.decode(y).tolist() == [[False, False, True]]


def test_labels_are_read_with_their_names_and_images_as_rows():
    y = torch.tensor([[0.2, 0.75], [0.9, 0.6]])
    assert SPACE.readable(y > 0.5, y, ["a", "b"]) == [{"b": 0.75}, {"a": 0.9, "b": 0.6}]
    image = y.unsqueeze(0)
    assert SPACE.readable(image > 0.5, image, []) == [[[0, 1], [1, 1]]]


def test_soft_draws_harden_as_the_temperature_falls():
    logits = torch.tensor([[0.5, -1.0]])
    draws = [SPACE.sample(logits, 20_000, temperature) for temperature in (2.0, 0.01)]
    spread = [torch.minimum(each, 1 - each).mean() for each in draws]
    assert spread[0] > 0.1 > 0.01 > spread[1]
    hard = (draws[1] > 0.5).double().mean(1)
    np.testing.assert_allclose(hard.numpy(), special.expit(logits.numpy()), atol=0.01)


def test_redrawn_entries_are_fair_coins():
    y = torch.ones(1, 20_000, 2)
    assert SPACE.perturb(y, 1.0).mean().item() == pytest.approx(0.5, abs=0.01)
    assert SPACE.perturb(y, 0.5).mean().item() == pytest.approx(0.75, abs=0.01)


def test_a_move_changes_a_linear_score_by_its_predicted_change():
    y = corners(3)
    gradient = torch.randn(1, 1, 3).expand(y.shape)
    changes = SPACE.move_changes(y, gradient)
    for index in range(3):
        moved, _ = SPACE.move(y, torch.full(y.shape[:2], index))
        torch.testing.assert_close(changes[..., index], ((moved - y) * gradient).sum(2))
    masked = SPACE.move_changes(y, gradient, torch.tensor([[True, False, True]]))
    assert masked[..., 1].eq(-torch.inf).all() and masked[..., [0, 2]].isfinite().all()
