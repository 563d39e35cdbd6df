"""Values of an output y and their gradients, by autograd or in closed form."""

from typing import Callable, ClassVar, Optional, Tuple

import torch

ValueAndGradient = Tuple[torch.Tensor, torch.Tensor]
GradientFunction = Callable[[torch.Tensor], ValueAndGradient]
"""A function of y `(batch, num_samples, *event_shape)` that returns values `(batch, num_samples)`
and the gradient of each in y, shaped like y. Both are constants, and no argument is changed. Call
it inside `torch.no_grad`."""
GradientAdder = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], ValueAndGradient]
"""A function of y, values and gradients that returns these values and gradients with those of y
added. The gradients given to it may be broadcast over samples."""


class Differentiated:
    """The base of classes whose values have a gradient in y, by a method named in `gradient_by`.

    That method returns a function of y in which all else is fixed, so that a descent prepares once
    what its steps share; the function is valid until the weights change. By default the method
    calls `by_autograd`, and a subclass that knows a closed form overrides it. A class further down
    that computes other values does not inherit the closed form.
    """

    gradient_by: ClassVar[str] = "gradient_function"
    computed_by: ClassVar[Tuple[str, ...]] = ()
    """The methods that compute the values."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = vars(cls)
        changed = any(name in own for name in cls.computed_by)
        if changed and cls.gradient_by not in own and hasattr(cls, "by_autograd"):
            setattr(cls, cls.gradient_by, cls.by_autograd)


def differentiate(
    function: Callable[[torch.Tensor], torch.Tensor], y: torch.Tensor
) -> Tuple[torch.Tensor, Optional[torch.Tensor]]:
    """Return function(y) and the gradient of its sum in y, as constants. The gradient is `None`
    where the function treats y as a constant.

    >>> value, gradient = differentiate(lambda y: y ** 2, torch.tensor([1.0, 3.0]))
    >>> value.tolist(), gradient.tolist()
    ([1.0, 9.0], [2.0, 6.0])
    """
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        values = function(y)
        if not values.requires_grad:
            return values, None
        (gradient,) = torch.autograd.grad(values.sum(), y, allow_unused=True)
    return values.detach(), gradient


def by_autograd(
    function: Callable[[torch.Tensor], torch.Tensor], scale: float = 1.0
) -> GradientFunction:
    """Return `scale` times the function with its gradient, which is zero where the function treats
    y as a constant."""

    def evaluate(y: torch.Tensor) -> ValueAndGradient:
        values, gradient = differentiate(function, y)
        gradient = torch.zeros_like(y) if gradient is None else gradient
        return (values, gradient) if scale == 1 else (scale * values, scale * gradient)

    return evaluate
