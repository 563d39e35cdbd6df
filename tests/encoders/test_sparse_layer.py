"""The layer over rows with few features, and dropout from few bits, against torch's own."""

import copy
import pickle

import pytest
import torch

from structured_energy.encoders.dropout import FastDropout
from structured_energy.encoders.sparse_layer import SparseLinear, compress


def rows(density, dtype=torch.float64, batch=40, size=300):
    x = torch.randn(batch, size, dtype=dtype)
    x[torch.rand_like(x) > density] = 0
    x[3] = 0
    return x


@pytest.fixture()
def layer():
    torch.manual_seed(0)
    return torch.nn.Linear(300, 7, dtype=torch.float64)


@pytest.mark.parametrize("density", [0.0, 0.03, 1.0])
def test_products_and_gradients_are_those_of_a_dense_layer(layer, density):
    sparse, x = SparseLinear.of(layer), rows(density)
    assert (compress(x) is None) == (density == 1)
    expected, result = layer(x), sparse(x)
    torch.testing.assert_close(result, expected)
    upward = torch.randn_like(expected)
    expected.backward(upward)
    result.backward(upward)
    torch.testing.assert_close(sparse.weight.grad, layer.weight.grad)
    torch.testing.assert_close(sparse.bias.grad, layer.bias.grad)
    assert sparse.weight.grad.stride() == sparse.weight.stride()


def test_gradients_of_gradients(layer):
    sparse, x = SparseLinear.of(layer), rows(0.03)

    def product(weight):
        return torch.func.functional_call(sparse, {"weight": weight}, x)

    assert torch.autograd.gradcheck(product, sparse.weight, fast_mode=True)
    assert torch.autograd.gradgradcheck(product, sparse.weight, fast_mode=True)


def test_the_gradient_reaches_an_input_that_takes_one(layer):
    x = rows(0.03).requires_grad_()
    SparseLinear.of(layer)(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand_as(x))


def test_a_changed_batch_is_compressed_again(layer):
    sparse, x = SparseLinear.of(layer), rows(0.03)
    for _ in range(2):
        torch.testing.assert_close(sparse(x), layer(x))
    x[0, 5] += 1
    torch.testing.assert_close(sparse(x), layer(x))
    torch.testing.assert_close(sparse(x[2:9]), layer(x[2:9]))
    with torch.inference_mode():
        inside = rows(0.03)
        torch.testing.assert_close(sparse(inside), layer(inside))
        inside[1, 2] += 1
        torch.testing.assert_close(sparse(inside), layer(inside))


def test_weights_have_the_usual_names_and_shapes_and_no_batch_is_saved(layer):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    sparse = SparseLinear.of(layer)
    assert torch.equal(torch.get_rng_state(), before)
    sparse(rows(0.03))
    assert {n: w.shape for n, w in sparse.state_dict().items()} == {
        n: w.shape for n, w in layer.state_dict().items()
    }
    other = SparseLinear.of(torch.nn.Linear(300, 7, dtype=torch.float64))
    other.load_state_dict(layer.state_dict())
    x = rows(0.04)
    torch.testing.assert_close(other(x), layer(x))
    assert other.weight.t().is_contiguous()
    for copied in (copy.deepcopy(sparse), pickle.loads(pickle.dumps(sparse))):
        assert copied._last is None
        torch.testing.assert_close(copied(x), layer(x))


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_dropout_keeps_its_share_and_the_mean(p):
    torch.manual_seed(0)
    dropout, x = FastDropout(p), torch.ones(301, 999, requires_grad=True)
    y = dropout(x)
    kept = (y > 0).double()
    deviation = (p * (1 - p) / x.numel()) ** 0.5
    assert kept.mean().item() == pytest.approx(1 - p, abs=5 * deviation)
    torch.testing.assert_close(y[y > 0], torch.full_like(y[y > 0], 1 / (1 - p)), rtol=1e-4, atol=0)
    for neighbour in (kept.flatten()[1:] * kept.flatten()[:-1], kept[1:] * kept[:-1]):
        assert neighbour.mean().item() == pytest.approx((1 - p) ** 2, abs=8 * deviation)
    y.sum().backward()
    assert torch.equal(x.grad, y)


def test_dropout_repeats_with_a_seed_and_is_off_in_evaluation():
    dropout, x = FastDropout(0.5), torch.randn(5, 3)
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        results.append(dropout(x))
    assert torch.equal(*results)
    assert torch.equal(dropout.eval()(x), x)
    for p, expected in ((0.0, x), (1.0, torch.zeros_like(x))):
        assert torch.equal(FastDropout(p)(x), expected)
    assert FastDropout(0.5)(torch.zeros(0, 3)).shape == (0, 3)
