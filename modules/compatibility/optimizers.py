"""Steps of optimisers that do not import torch's compiler."""

import functools
import sys
from typing import Any, Callable

import torch

_COMPILER = "torch._dynamo"


def step_without_compiler() -> None:
    """Let optimisers of torch step without the compiler until something else has imported it.

    torch imports its compiler, which takes a second, at the first step of any optimiser, to tell it
    not to compile the step. Where nothing is compiled there is nobody to tell. Once the compiler is
    imported, as with `compile_networks`, torch's own methods run. A method of another torch that is
    not wrapped in the ways known here stays as it is.
    """
    for kind in vars(torch.optim).values():
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer):
            for name, method in list(vars(kind).items()):
                code = getattr(method, "__code__", None)
                inner = getattr(method, "__wrapped__", None)
                if code is None or inner is None:
                    continue
                if code.co_name == "_use_grad":
                    setattr(kind, name, _plain_step(method, inner))
                elif code.co_filename == torch._compile.__file__:
                    setattr(kind, name, _plain(method, inner))


def _plain_step(method: Callable[..., Any], inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def step(self: Any, *args: Any, **settings: Any) -> Any:
        if _COMPILER in sys.modules:
            return method(self, *args, **settings)
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return inner(self, *args, **settings)

    return step


def _plain(method: Callable[..., Any], inner: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(inner)
    def call(*args: Any, **settings: Any) -> Any:
        return (method if _COMPILER in sys.modules else inner)(*args, **settings)

    return call
