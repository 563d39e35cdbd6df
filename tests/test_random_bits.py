"""Draws of few random bits against their probabilities."""

import pytest
import torch

from structured_energy.random_bits import bernoulli, uniform_numbers

PROBABILITIES = [0.0, 1e-7, 3e-5, 2**-15, 0.01, 0.3, 0.5, 0.9999, 1 - 3e-5, 1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_draw_has_its_probability_to_any_digit(dtype):
    torch.manual_seed(0)
    rows, draws = 4000, 1000
    p = torch.tensor(PROBABILITIES, dtype=dtype)
    drawn = bernoulli(p.expand(rows, -1), draws)
    assert drawn.dtype == dtype and drawn.shape == (rows, draws, len(p))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    found, p = drawn.double().mean((0, 1)), p.double()
    error = (p * (1 - p) / (rows * draws)).sqrt()
    assert ((found - p).abs() <= 4.5 * error).all()
    assert found[0] == 0 and found[-1] == 1


def test_draws_are_independent():
    torch.manual_seed(1)
    drawn = bernoulli(torch.full((5000, 8), 0.4), 8).double().flatten(1)
    covariance = torch.cov(drawn.T)
    expected = 0.24 * torch.eye(64, dtype=torch.double)
    torch.testing.assert_close(covariance, expected, atol=5 * 0.24 / 5000**0.5, rtol=0)


def test_the_draws_of_a_seed_are_the_same_and_any_count_fits():
    for shape in ((3,), (1, 1), (2, 5, 3)):
        draws = []
        for _ in range(2):
            torch.manual_seed(2)
            draws.append(bernoulli(torch.rand(shape), 7))
        assert draws[0].shape == (shape[0], 7, *shape[1:])
        assert torch.equal(*draws)


def test_numbers_are_uniform():
    torch.manual_seed(3)
    numbers = uniform_numbers(200_001).double()
    assert len(numbers) == 200_001
    assert numbers.min() < -32_700 and numbers.max() > 32_700
    assert abs(numbers.mean()) < 5 * 65_536 / 12**0.5 / 200_001**0.5
