"""What all conformance suites share."""

import io
import itertools
import json
from typing import Any, Callable, ClassVar, Iterable, Iterator, List, Tuple, TypeVar

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from ...gradients import GradientFunction, by_autograd
from ...logging import LoggingMixin
from ..problem import SPACES, TestProblem, evaluate_jsonnet, make_test_problem

ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)

DTYPES = (torch.float32, torch.float64)

TestT = TypeVar("TestT", bound=Callable[..., None])


def in_dtypes(*dtypes: torch.dtype) -> Callable[[TestT], TestT]:
    """Run a test in these dtypes in place of those of its suite."""

    def mark(test: TestT) -> TestT:
        test.dtypes = dtypes  # type: ignore[attr-defined]
        return test

    return mark


def with_padding_changed(problem: TestProblem, tensor: torch.Tensor, value: float) -> torch.Tensor:
    """Return the tensor `(batch, num_samples, *event_shape)` with `value` in the padding of every
    other output and 0 in that of the rest: what differs between outputs does not cancel."""
    mask = problem.mask.unsqueeze(1)
    while mask.dim() < tensor.dim():
        mask = mask.unsqueeze(-1)
    padding = torch.zeros_like(tensor)
    padding[:, ::2] = value
    return torch.where(mask, tensor, padding)


def draw_logits(problem: TestProblem, num_samples: int) -> torch.Tensor:
    """Return random logits `(batch, num_samples, *event_shape)`."""
    logits = problem.sample(num_samples).logits
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
    """Run `gradcheck` on those inputs that the gradient reaches. An input that is taken as a
    constant has no gradient, although the result changes with it."""
    inputs = [tensor.detach().requires_grad_() for tensor in inputs]
    result = function(*inputs)
    if not result.requires_grad:
        pytest.skip("no gradient reaches the inputs")
    reached = torch.autograd.grad(result.sum(), inputs, allow_unused=True)
    for tensor, gradient in zip(inputs, reached, strict=True):
        tensor.requires_grad_(gradient is not None)
    assert torch.autograd.gradcheck(function, inputs, fast_mode=True)


def check_gradient_function(
    function: GradientFunction, values: Callable[[torch.Tensor], torch.Tensor], y: torch.Tensor
) -> None:
    """Check a function that returns values and gradients, such as a closed form, against autograd
    of `values`: equal, constant, twice the same, and y unchanged."""
    before = y.clone()
    expected, gradient = by_autograd(values)(y)
    for _ in range(2):
        with torch.no_grad():
            result = function(y)
        for part, reference in zip(result, (expected, gradient), strict=True):
            assert not part.requires_grad
            torch.testing.assert_close(part, reference)
    torch.testing.assert_close(y, before, rtol=0, atol=0)


class Conformance:
    """The tests that all suites share, and a component in a problem of each output space.

    A subclass names one `config`, or overrides `cases` for several.
    """

    config: ClassVar[str]
    base: ClassVar[Any]
    spaces: ClassVar[Tuple[str, ...]] = SPACES
    """The output spaces in which the component serves."""
    dtypes: ClassVar[Tuple[torch.dtype, ...]] = (torch.float64,)
    """The dtypes of the problems, unless a test names others by `in_dtypes`."""

    def cases(self) -> Iterable[Tuple[str, Tuple[str, ...]]]:
        """Return each config with the output spaces in which it serves."""
        return [(self.config, self.spaces)]

    def outputs(self, problem: TestProblem, component: Any) -> torch.Tensor:
        """Return what a component with weights computes; a loaded one must compute the same."""
        raise TypeError(f"{type(self).__name__} must define `outputs`.")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "problem" not in metafunc.fixturenames:
            return
        dtypes = getattr(metafunc.function, "dtypes", self.dtypes)
        cases, names = [], []
        for number, (config, spaces) in enumerate(self.cases()):
            params = evaluate_jsonnet(config)
            name = params if isinstance(params, str) else params.get("type", "default")
            for space, dtype in itertools.product(spaces, dtypes):
                cases.append((config, (space, dtype)))
                names.append(f"{name}-{number}-{space}-{dtype}".replace("torch.", ""))
        metafunc.parametrize(("snippet", "problem"), cases, indirect=["problem"], ids=names)

    @pytest.fixture()
    def problem(self, request: Any, snippet: str) -> TestProblem:
        space, dtype = request.param
        return make_test_problem(dtype=dtype, space=space)

    @pytest.fixture()
    def component(self, problem: TestProblem, snippet: str) -> Any:
        return problem.build(self.base, snippet)

    @pytest.fixture(autouse=True)
    def _dtype(self, problem: TestProblem) -> Iterator[None]:
        before = torch.get_default_dtype()
        torch.set_default_dtype(problem.dtype)
        yield
        torch.set_default_dtype(before)

    def test_a_misspelt_key_raises(self, problem: TestProblem, snippet: str) -> None:
        params = evaluate_jsonnet(snippet)
        params = {"type": params} if isinstance(params, str) else params
        with pytest.raises(ConfigurationError, match="no_such_key"):
            problem.build(self.base, json.dumps({**params, "no_such_key": 1}))

    def test_the_tree_names_every_node_and_value(self, component: Any) -> None:
        if not isinstance(component, LoggingMixin):
            pytest.skip("it has no logged values")
        picture = component.describe()
        for path, node in component.nodes():
            assert f"{node.log_key} ({type(node).__name__})" in picture, path
        for name, value in component.logged_values().items():
            assert f"{name.split('.')[-1]}: {type(value).__name__}" in picture, name

    def test_saved_and_loaded_outputs_are_the_same(
        self, problem: TestProblem, component: Any, snippet: str
    ) -> None:
        if not isinstance(component, torch.nn.Module):
            pytest.skip("it has no weights")
        with torch.no_grad():  # away from where every component of its kind starts
            for parameter in component.parameters():
                parameter.add_(0.1 * torch.rand_like(parameter))
        problem.task_network.eval()
        other = reloaded(component, problem.build(self.base, snippet))
        results = []
        for module in (component, other):
            torch.manual_seed(7)
            results.append(self.outputs(problem, module.eval()))
        torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)
