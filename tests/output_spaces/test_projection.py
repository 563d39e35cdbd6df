"""Projection, logits and sums over positions at the limits of floating point numbers."""

import math

import pytest
import torch
from allennlp.data import Vocabulary

from structured_energy.output_spaces import BinaryOutputSpace, CategoricalOutputSpace


def space_of(size):
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for number in range(size):
        vocab.add_token_to_namespace(f"tag_{number}", "labels")
    return CategoricalOutputSpace(vocab)


def exact_projection(point):
    """Return the projection of a list of numbers onto the simplex, one entry at a time."""
    point = [value - max(point) for value in point]
    total, threshold = 0.0, None
    for count, value in enumerate(sorted(point, reverse=True), start=1):
        total += value
        if value > (total - 1) / count:
            threshold = (total - 1) / count
    return [max(value - threshold, 0.0) for value in point]


DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
MAGNITUDES = [10.0**exponent for exponent in (-6, -3, -1, 0, 1, 2, 3, 4, 5, 7, 8, 15, 30)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [2, 3, 40])
def test_the_projection_is_exact_at_any_magnitude(dtype, size):
    torch.manual_seed(0)
    space = space_of(size)
    tolerance = (4 if size < 40 else 8) * torch.finfo(dtype).eps
    for magnitude in MAGNITUDES:
        if magnitude > torch.finfo(dtype).max / 8:
            continue
        apart = magnitude * torch.randn(20, size, dtype=torch.float64)
        close = magnitude + torch.rand(20, size, dtype=torch.float64)
        for points in (apart, close, -apart, apart * (torch.rand(20, size) < 0.2)):
            points = points.to(dtype)
            projected = space.project(points)
            assert projected.dtype == dtype
            rows = [exact_projection(row) for row in points.double().tolist()]
            expected = torch.tensor(rows, dtype=torch.float64)
            torch.testing.assert_close(projected.double(), expected, rtol=tolerance, atol=tolerance)


def test_the_projection_of_huge_scores_in_low_precision_is_a_corner():
    space = space_of(3)
    for huge in (torch.tensor([2.0**24 + 2, 0, 0]), torch.tensor([300, 0, 0]).bfloat16()):
        assert space.project(huge).tolist() == [1, 0, 0]
    assert space.project(torch.tensor([1.0, -math.inf, 1.0])).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_makes_its_position_nan(value):
    points = torch.tensor([[value, 0.0, 0.0], [0.2, 0.3, 0.5]])
    projected = space_of(3).project(points)
    assert projected[0].isnan().all()
    torch.testing.assert_close(projected[1], points[1])
    assert BinaryOutputSpace().project(torch.tensor(math.nan)).isnan()


def test_the_gradient_of_the_projection_is_that_of_the_differences():
    torch.manual_seed(1)
    points = (100 + torch.randn(4, 5, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(space_of(5).project, points)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("space", [BinaryOutputSpace(), space_of(3)], ids=["binary", "categorical"])
def test_logits_and_draws_are_finite_in_every_precision(space, dtype):
    corners = torch.eye(3, dtype=dtype).view(3, 1, 1, 3)
    logits = space.logits_of(corners)
    assert logits.isfinite().all()
    torch.testing.assert_close(space.normalize(logits), corners, atol=0.01, rtol=0)
    torch.manual_seed(0)
    draws = space.sample(torch.zeros(1, 20000, 3, dtype=dtype), 1, temperature=0.5)
    assert draws.isfinite().all()
    assert space.log_prob(1000 * logits, corners).isfinite().all()


@pytest.mark.parametrize("space", [BinaryOutputSpace(), space_of(4)], ids=["binary", "categorical"])
def test_smoothing_moves_values_at_the_edge_and_keeps_the_rest(space):
    one_hot = torch.eye(4).view(1, 1, 4, 4)
    smooth = space.smooth(one_hot, 0.2)
    low = 0.1 if isinstance(space, BinaryOutputSpace) else 0.05
    high = 0.9 if isinstance(space, BinaryOutputSpace) else 0.85
    torch.testing.assert_close(smooth, torch.where(one_hot > 0, high, low))
    inside = space.normalize(torch.randn(2, 3, 5, 4))
    assert torch.equal(space.smooth(inside, 0.2), inside)
    assert torch.equal(space.smooth(one_hot, 0.0), one_hot)


@pytest.mark.parametrize("padding", [math.nan, math.inf])
def test_sums_over_positions_do_not_see_the_padding(padding):
    values = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    mask = torch.tensor([[True, False, True]])
    spoilt = values.masked_fill(~mask.unsqueeze(1), padding).requires_grad_()
    total = BinaryOutputSpace().sum_positions(spoilt, mask)
    assert total.tolist() == [[4.0, 10.0]]
    (gradient,) = torch.autograd.grad(total.sum(), spoilt)
    assert gradient.tolist() == [[[1.0, 0.0, 1.0]] * 2]
