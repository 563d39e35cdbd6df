"""Optimisers that move an output along the gradient of an objective."""

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

import torch
from allennlp.common import Lazy, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.training.optimizers import Optimizer

from ..output_spaces import OutputSpace

SMOOTHING = 0.2
"""The default share of the uniform distribution in starts at the edge of the relaxation. A corner
of `binary` starts at 0.1 or 0.9, where the slope of y in its logit is a third of its maximum."""


def check_smoothing(smoothing: float, where: str) -> None:
    """Raise `ConfigurationError` for a smoothing outside [0, 1]."""
    if not 0 <= smoothing <= 1:
        raise ConfigurationError(f"Expected a smoothing in [0, 1] in {where}, got {smoothing}.")


class OptimizerState(NamedTuple):
    """The state of an output optimizer between two steps.

    # Fields

    entries : the optimizer's values by name, such as a momentum. The first dimension of a tensor
        is the batch; all instances share numbers and tensors without dimensions.
    optimizer : the PyTorch optimizer of this descent, for `WrappedOptimizer` only.
    """

    entries: Mapping[str, Any] = {}
    optimizer: Optional[torch.optim.Optimizer] = None

    def rows(self, index: torch.Tensor) -> "OptimizerState":
        """Return the state of the instances `index`."""
        return self._replace(
            entries={
                name: entry[index] if isinstance(entry, torch.Tensor) and entry.dim() else entry
                for name, entry in self.entries.items()
            }
        )


class OutputOptimizer(Registrable, ABC):
    """Moves a variable z that parametrises the output y(z). Instances do not affect each other.

    A descent calls `init` once and passes the state from step to step:

    ```python
    state = optimizer.init(z)
    z, state = optimizer.step(z, gradient, state)
    ```

    `state.rows(index)` is the state for `z[index]`, when only some instances continue.

    # Parameters

    learning_rate : `float`
        η.
    """

    differentiable = True
    """Whether a gradient flows through `step`."""
    in_logits = False
    """Whether z is the logits of y. Otherwise z is y."""
    gradient_of_output = False
    """Whether `step` takes the gradient with respect to y. Otherwise it takes that with respect
    to z."""
    smoothing: float = 0.0
    """The share of the uniform distribution in a start at the edge of the relaxation."""

    def __init__(self, output_space: OutputSpace, learning_rate: float = 0.1) -> None:
        self.output_space = output_space
        self.learning_rate = learning_rate

    def variable(self, y: torch.Tensor) -> torch.Tensor:
        """Return z of an output y."""
        return self.output_space.logits_of(y) if self.in_logits else y

    def output(self, z: torch.Tensor) -> torch.Tensor:
        """Return y(z), differentiable."""
        return self.output_space.normalize(z) if self.in_logits else z

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """Return the logits of y(z)."""
        return z if self.in_logits else self.output_space.logits_of(z)

    def pull_back(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Return the gradient in z of a function that has this gradient in y(z)."""
        if not self.in_logits:
            return gradient
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            return torch.autograd.grad(self.output(z), z, gradient)[0]

    def init(self, z: torch.Tensor) -> OptimizerState:
        """Return the state before the first step from z; empty by default."""
        return OptimizerState()

    @abstractmethod
    def step(
        self, z: torch.Tensor, gradient: torch.Tensor, state: OptimizerState
    ) -> Tuple[torch.Tensor, OptimizerState]:
        """Return the next z and the next state.

        `gradient` is the gradient of the objective with respect to z, or to y where
        `gradient_of_output` is true. `z` and the entries of `state` stay as they are.
        """


@OutputOptimizer.register("projected-gradient")
class ProjectedGradient(OutputOptimizer):
    """y ← project(y − η ∇) (Belanger & McCallum 2016; Gygli et al. 2017)."""

    def step(
        self, z: torch.Tensor, gradient: torch.Tensor, state: OptimizerState
    ) -> Tuple[torch.Tensor, OptimizerState]:
        return self.output_space.project(z.sub(gradient, alpha=self.learning_rate)), state


class _LogitsOptimizer(OutputOptimizer):
    """The base of optimizers that move the logits: z ← z − η ∇.

    # Parameters

    learning_rate : `float`
        η.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, where a step
        in the logits does not change y.
    """

    in_logits = True

    def __init__(
        self,
        output_space: OutputSpace,
        learning_rate: float = 0.1,
        smoothing: float = SMOOTHING,
    ) -> None:
        super().__init__(output_space, learning_rate)
        check_smoothing(smoothing, type(self).__name__)
        self.smoothing = smoothing

    def step(
        self, z: torch.Tensor, gradient: torch.Tensor, state: OptimizerState
    ) -> Tuple[torch.Tensor, OptimizerState]:
        return z.sub(gradient, alpha=self.learning_rate), state


@OutputOptimizer.register("entropic-mirror-descent")
class EntropicMirrorDescent(_LogitsOptimizer):
    """y ∝ y · exp(−η ∇_y), that is z ← z − η ∇_y with y = normalize(z) (Beck & Teboulle 2003;
    Belanger & McCallum 2016, section 5); in the space `hierarchical` the natural gradient."""

    gradient_of_output = True

    def step(
        self, z: torch.Tensor, gradient: torch.Tensor, state: OptimizerState
    ) -> Tuple[torch.Tensor, OptimizerState]:
        return super().step(z, self.output_space.step_in_logits(gradient, z), state)


@OutputOptimizer.register("logits-gradient")
class LogitsGradient(_LogitsOptimizer):
    """z ← z − η ∇_z with y = normalize(z)."""


@OutputOptimizer.register("optimizer")
class WrappedOptimizer(OutputOptimizer):
    """Any optimizer that is registered with AllenNLP, applied to the logits of y or to y.

    On the logits it takes the gradient with respect to y, as `entropic-mirror-descent` does: the
    gradient with respect to the logits vanishes near a corner. On y it projects after each step.
    An optimizer that scales each entry by its own factor, such as Adam, RMSprop or Adagrad, can
    move y only in a space that constrains each entry separately, such as `binary`. The projection
    onto a simplex undoes such a step at many points that are not optimal.

    # Parameters

    optimizer : `Lazy[Optimizer]`
        For example `{type: 'adam', lr: 0.1}`.
    logits : `bool`
        Whether to move the logits of y. Otherwise y is moved.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, if logits
        are moved.

    # Raises

    `ConfigurationError` for `logits: false` in `categorical` with another optimizer than `sgd`.
    """

    differentiable = False

    def __init__(
        self,
        output_space: OutputSpace,
        optimizer: Lazy[Optimizer],
        logits: bool = True,
        smoothing: float = SMOOTHING,
    ) -> None:
        super().__init__(output_space)
        check_smoothing(smoothing, "the output optimizer 'optimizer'")
        self._optimizer = optimizer
        self.in_logits = self.gradient_of_output = logits
        self.smoothing = smoothing if logits else 0.0
        constructed = self._construct(torch.zeros(1))  # a wrong setting raises here
        if not (logits or output_space.separable or isinstance(constructed, torch.optim.SGD)):
            raise ConfigurationError(
                "Expected logits: true for the output optimizer 'optimizer' in the output space "
                f"{type(output_space).__name__}, got logits: false with "
                f"{type(constructed).__name__}, whose steps the projection onto a simplex can "
                "undo; leave out 'logits', or use 'sgd' or 'projected-gradient'."
            )

    def _construct(self, z: torch.Tensor) -> torch.optim.Optimizer:
        parameter = torch.nn.Parameter(z.detach().clone())
        return self._optimizer.construct(model_parameters=[("y", parameter)])

    def init(self, z: torch.Tensor) -> OptimizerState:
        optimizer = self._construct(z)
        (parameter,) = optimizer.param_groups[0]["params"]
        return OptimizerState(dict(optimizer.state.get(parameter, {})), optimizer)

    def step(
        self, z: torch.Tensor, gradient: torch.Tensor, state: OptimizerState
    ) -> Tuple[torch.Tensor, OptimizerState]:
        optimizer = state.optimizer
        assert optimizer is not None
        # The optimizer provides its rule and settings. z and the entries come from the arguments,
        # in any number of rows, and are copied, since the optimizer changes them in place.
        parameter = torch.nn.Parameter(z.detach().clone())
        if self.in_logits:
            with torch.no_grad():
                gradient = self.output_space.step_in_logits(gradient, z)
                gradient = self.output_space.center(gradient, self.output(z))
        parameter.grad = gradient
        optimizer.param_groups[0]["params"] = [parameter]
        optimizer.state = defaultdict(dict)
        if state.entries:
            optimizer.state[parameter] = {
                name: entry.clone() if isinstance(entry, torch.Tensor) else entry
                for name, entry in state.entries.items()
            }
        optimizer.step()
        entries: Dict[str, Any] = optimizer.state[parameter]
        moved = parameter.detach()
        if not self.in_logits:
            moved = self.output_space.project(moved)
        return moved, state._replace(entries=entries)
