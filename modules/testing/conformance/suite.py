"""What all conformance suites share."""

import io
import itertools
import json
from typing import Any, ClassVar, Iterator, List, Tuple, TypeVar

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ...logging import LoggingMixin
from ..world import SPACES, World, evaluate_jsonnet, make_world

ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)

DTYPES = (torch.float32, torch.float64)


def with_padding_changed(world: World, tensor: torch.Tensor, value: float) -> torch.Tensor:
    """The tensor `(batch, num_samples, *event_shape)` with another value in its padding."""
    mask = world.mask.unsqueeze(1)
    while mask.dim() < tensor.dim():
        mask = mask.unsqueeze(-1)
    return torch.where(mask, tensor, torch.full_like(tensor, value))


def draw_logits(world: World, num_samples: int) -> torch.Tensor:
    """Random logits `(batch, num_samples, *event_shape)`."""
    logits = world.sample(num_samples).logits
    assert logits is not None
    return logits


def reloaded(component: ModuleT, other: ModuleT) -> ModuleT:
    """Return `other` with the weights of `component`, by way of a file."""
    file = io.BytesIO()
    torch.save(component.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    return other


def check_gradients(function: Any, inputs: List[torch.Tensor]) -> None:
    """`gradcheck` for those inputs that the gradient reaches; what an input that is taken as a
    constant changes is no gradient."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    result = function(*inputs)
    if not result.requires_grad:
        return
    reached = torch.autograd.grad(result.sum(), inputs, allow_unused=True)
    for tensor, gradient in zip(inputs, reached, strict=True):
        tensor.requires_grad_(gradient is not None)
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


class Conformance:
    """What all suites share: the component, built in a world of each output space and dtype."""

    config: ClassVar[str]
    base: ClassVar[Any]
    spaces: ClassVar[Tuple[str, ...]] = SPACES
    """The output spaces in which the component serves."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "world" in metafunc.fixturenames:
            worlds = list(itertools.product(self.spaces, DTYPES))
            metafunc.parametrize("world", worlds, indirect=True, ids=str)

    @pytest.fixture()
    def world(self, request: Any) -> World:
        space, dtype = request.param
        return make_world(dtype=dtype, space=space)

    @pytest.fixture()
    def component(self, world: World) -> Any:
        return world.build(self.base, self.config)

    @pytest.fixture(autouse=True)
    def _dtype(self, world: World) -> Iterator[None]:
        before = torch.get_default_dtype()
        torch.set_default_dtype(world.dtype)
        yield
        torch.set_default_dtype(before)

    def test_a_misspelt_key_raises(self, world: World) -> None:
        params = evaluate_jsonnet(self.config)
        params = {"type": params} if isinstance(params, str) else params
        with pytest.raises(ConfigurationError):
            world.build(self.base, json.dumps({**params, "no_such_key": 1}))

    def test_the_tree_can_be_read(self, component: Any) -> None:
        if isinstance(component, LoggingMixin):
            assert component.logged_values() is not None
            assert component.log_key in component.describe()

    def test_saved_and_loaded_weights_are_the_same(self, world: World, component: Any) -> None:
        if not isinstance(component, torch.nn.Module):
            return
        other = world.build(self.base, self.config)
        other.load_state_dict(component.state_dict())
        for name, value in other.state_dict().items():
            torch.testing.assert_close(value, component.state_dict()[name])
