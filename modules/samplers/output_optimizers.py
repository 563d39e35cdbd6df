"""How gradient-based inference moves an output."""

from abc import ABC, abstractmethod

import torch
from allennlp.common import Lazy, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.training.optimizers import Optimizer

from ..output_spaces import OutputSpace

SMOOTHING = 0.2
"""The default share of the uniform distribution in starts at the edge of the relaxation. A corner
of `binary` starts at 0.1 or 0.9, where the slope of y in its logit is a third of the largest."""


def check_smoothing(smoothing: float, where: str) -> None:
    """Raise `ConfigurationError` for a smoothing outside [0, 1]."""
    if not 0 <= smoothing <= 1:
        raise ConfigurationError(f"Expected a smoothing in [0, 1] in {where}, got {smoothing}.")


class OutputOptimizer(Registrable, ABC):
    """Steps on a variable z that stands for the output y(z), one instance independent of another.

    # Parameters

    learning_rate : `float`
        η.
    """

    differentiable = True
    """Whether a gradient flows through `step`."""
    in_logits = False
    """Whether z are the logits of y, or y itself."""
    gradient_of_output = False
    """Whether `step` is given the gradient in y, or in z."""
    smoothing: float = 0.0
    """How much of the uniform distribution a start at the edge of the relaxation gets."""

    def __init__(self, output_space: OutputSpace, learning_rate: float = 0.1) -> None:
        self.output_space = output_space
        self.learning_rate = learning_rate

    def variable(self, y: torch.Tensor) -> torch.Tensor:
        """The z of an output."""
        return self.output_space.logits_of(y) if self.in_logits else y

    def output(self, z: torch.Tensor) -> torch.Tensor:
        """The output of a z, differentiable."""
        return self.output_space.normalize(z) if self.in_logits else z

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """The logits of the output of a z."""
        return z if self.in_logits else self.output_space.logits_of(z)

    def begin(self, z: torch.Tensor) -> None:
        """Forgets what it knows of an earlier z; one that remembers nothing has nothing to do."""
        return

    @abstractmethod
    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The next z, given the gradient of the objective in z, or in y (`gradient_of_output`)."""

    def step_rows(
        self, z: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """The next z, of which the instances `rows` alone move; the gradient is theirs."""
        return z.index_copy(0, rows, self.step(z[rows], gradient))


@OutputOptimizer.register("projected-gradient")
class ProjectedGradient(OutputOptimizer):
    """y ← project(y − η ∇) (Belanger & McCallum 2016; Gygli et al. 2017)."""

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return self.output_space.project(z - self.learning_rate * gradient)


class _LogitsOptimizer(OutputOptimizer):
    """The base of those that move the logits: z ← z − η ∇.

    # Parameters

    learning_rate : `float`
        η.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, where a step
        in the logits moves y by nothing.
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

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return z - self.learning_rate * gradient


@OutputOptimizer.register("entropic-mirror-descent")
class EntropicMirrorDescent(_LogitsOptimizer):
    """y ∝ y · exp(−η ∇_y), that is z ← z − η ∇_y with y = normalize(z) (Beck & Teboulle 2003;
    Belanger & McCallum 2016, section 5)."""

    gradient_of_output = True


@OutputOptimizer.register("logits-gradient")
class LogitsGradient(_LogitsOptimizer):
    """z ← z − η ∇_z with y = normalize(z)."""


@OutputOptimizer.register("optimizer")
class WrappedOptimizer(OutputOptimizer):
    """Any of AllenNLP's optimisers, on the logits of y or on y.

    On the logits it follows the gradient in y, as `entropic-mirror-descent` does: the gradient in
    the logits vanishes near a corner. On y it projects after each step, which an optimiser that
    scales each entry by its own factor, such as Adam, RMSprop or Adagrad, can only do in a space
    that constrains each entry by itself, such as `binary`. The projection onto a simplex undoes
    such a step at many points that are no optimum.

    # Parameters

    optimizer : `Lazy[Optimizer]`
        For example `{type: 'adam', lr: 0.1}`.
    logits : `bool`
        Whether it moves the logits of y, or y.
    smoothing : `float`
        The share of the uniform distribution in a start at the edge of the relaxation, where it
        moves logits.

    # Raises

    `ConfigurationError` for `logits: false` in `categorical` with another optimiser than `sgd`.
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
        self._make = optimizer
        self.in_logits = self.gradient_of_output = logits
        self.smoothing = smoothing if logits else 0.0
        self.begin(torch.zeros(1))  # a wrong setting is found now
        if not (logits or output_space.separable or isinstance(self._optimizer, torch.optim.SGD)):
            raise ConfigurationError(
                "Expected logits: true for the output optimizer 'optimizer' in the output space "
                f"{type(output_space).__name__}, got logits: false with "
                f"{type(self._optimizer).__name__}, whose steps the projection onto a simplex can "
                "undo; leave out 'logits', or use 'sgd' or 'projected-gradient'."
            )

    def begin(self, z: torch.Tensor) -> None:
        self._parameter = torch.nn.Parameter(z.detach().clone())
        self._optimizer = self._make.construct(model_parameters=[("y", self._parameter)])

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            self._parameter.copy_(z)
            if self.in_logits:
                gradient = self.output_space.center(gradient, self.output(z))
        self._parameter.grad = gradient
        self._optimizer.step()
        moved = self._parameter.detach().clone()
        return moved if self.in_logits else self.output_space.project(moved)

    def step_rows(
        self, z: torch.Tensor, gradient: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        # Its state is that of all instances, so all take a step, and those that rest take it back.
        moved = self.step(z, torch.zeros_like(z).index_copy(0, rows, gradient))
        return z.index_copy(0, rows, moved[rows])
