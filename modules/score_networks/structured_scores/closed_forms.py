"""The gradients of layers in closed form."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Type

import torch
from allennlp.modules import FeedForward
from torch.nn.functional import linear

from ...gradients import ValueAndGradient


class Derivative(NamedTuple):
    """An activation and its derivative.

    # Fields

    value : σ(z).
    chain : g · σ'(z), of g and z.
    """

    value: Callable[[torch.Tensor], torch.Tensor]
    chain: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _softplus(activation: Any) -> Derivative:
    beta, threshold = activation.beta, activation.threshold
    return Derivative(
        lambda z: torch.nn.functional.softplus(z, beta, threshold),
        lambda g, z: torch.ops.aten.softplus_backward(g, z, beta, threshold),
    )


DERIVATIVES: Dict[Type[torch.nn.Module], Callable[[Any], Derivative]] = {
    torch.nn.Softplus: _softplus,
    torch.nn.ReLU: lambda _: Derivative(
        torch.relu, lambda g, z: torch.ops.aten.threshold_backward(g, z, 0)
    ),
    torch.nn.Tanh: lambda _: Derivative(
        torch.tanh, lambda g, z: torch.ops.aten.tanh_backward(g, z.tanh())
    ),
}

LayersAdder = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], ValueAndGradient]


def layers_adder(feedforward: FeedForward, weights: torch.Tensor) -> Optional[LayersAdder]:
    """Return a function of rows `(num_rows, input_size)`, values `(num_rows,)` and gradients,
    shaped like the rows, that returns values + c · f(row) and gradients + ∇ c · f(row).

    It is `None` where a derivative is not known, where dropout is on, and under autocast, whose
    half precision is too coarse for sums.

    # Parameters

    feedforward : `FeedForward`
        f.
    weights : `torch.Tensor`
        c, `(output_size,)`.
    """
    drops = any(layer.training and layer.p > 0 for layer in feedforward._dropout)
    activations = list(feedforward._activations)
    if (
        drops
        or torch.is_autocast_enabled(weights.device.type)
        or any(type(activation) not in DERIVATIVES for activation in activations)
    ):
        return None
    layers = [
        (layer.weight, layer.bias, DERIVATIVES[type(activation)](activation))
        for layer, activation in zip(feedforward._linear_layers, activations, strict=True)
    ]
    first = layers[0][0]

    def add(rows: torch.Tensor, values: torch.Tensor, gradient: torch.Tensor) -> ValueAndGradient:
        inputs: List[torch.Tensor] = []  # of the activations
        output = rows
        for weight, bias, activation in layers:
            z = linear(output, weight, bias)
            output = activation.value(z)
            inputs.append(z)
        values = torch.addmv(values, output, weights)
        back = weights.expand_as(output)
        for (weight, _, activation), z in zip(layers[:0:-1], inputs[:0:-1], strict=True):
            back = activation.chain(back, z) @ weight
        back = layers[0][2].chain(back, inputs[0])
        return values, torch.addmm(gradient, back, first)

    return add
