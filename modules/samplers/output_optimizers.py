"""How gradient-based inference moves an output."""

from abc import ABC, abstractmethod

import torch
from allennlp.common import Registrable

from ..output_spaces import OutputSpace


class OutputOptimizer(Registrable, ABC):
    """Steps on a variable z that stands for the output y(z), one instance independent of another.

    # Parameters

    learning_rate : `float`
        η.
    """

    def __init__(self, output_space: OutputSpace, learning_rate: float = 0.1) -> None:
        self.output_space = output_space
        self.learning_rate = learning_rate

    def variable(self, y: torch.Tensor) -> torch.Tensor:
        """The z of an output."""
        return y

    def output(self, z: torch.Tensor) -> torch.Tensor:
        """The output of a z, differentiable."""
        return z

    @abstractmethod
    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """The next z, given the gradient of the objective in z."""


@OutputOptimizer.register("projected-gradient")
class ProjectedGradient(OutputOptimizer):
    """y ← project(y − η ∇) (Belanger & McCallum 2016; Gygli et al. 2017)."""

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return self.output_space.project(z - self.learning_rate * gradient)


@OutputOptimizer.register("entropic-mirror-descent")
class EntropicMirrorDescent(OutputOptimizer):
    """y ∝ y · exp(−η ∇) (Beck & Teboulle 2003; Belanger & McCallum 2016, section 5)."""

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        logits = self.output_space.logits_of(z) - self.learning_rate * gradient
        return self.output_space.normalize(logits)


@OutputOptimizer.register("logits-gradient")
class LogitsGradient(OutputOptimizer):
    """z ← z − η ∇_z with y = normalize(z)."""

    def variable(self, y: torch.Tensor) -> torch.Tensor:
        return self.output_space.logits_of(y)

    def output(self, z: torch.Tensor) -> torch.Tensor:
        return self.output_space.normalize(z)

    def step(self, z: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return z - self.learning_rate * gradient
