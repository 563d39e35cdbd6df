"""The state of gradient-based inference between two steps, and its result."""

from typing import List, NamedTuple, Optional

import torch

from ..encoded import Encoded
from ..gradients import GradientFunction
from .output_optimizers import OptimizerState


class DescentState(NamedTuple):
    """A descent at one of its iterates. Instances that have converged no longer move.

    # Fields

    z : the iterate of all instances, `(batch, num_starts, *event_shape)`.
    objective : the objective of all instances at z, `(batch, num_starts)`.
    num_steps : the number of steps of each instance in the whole descent, `(batch,)`.
    x : the input of the moving instances.
    truth : their encoded labels, where they are known.
    optimizer : the state of their output optimizer.
    step : the number of steps that they have taken.
    rows : their indices; `None` for all.
    gradient : the gradient of their objective; `None` at the end of the descent.
    function : their objective and its gradient, as a function of the output; `None` before the
        first evaluation, and where the inference is unrolled.
    """

    z: torch.Tensor
    objective: torch.Tensor
    num_steps: torch.Tensor
    x: Encoded
    truth: Optional[torch.Tensor]
    optimizer: OptimizerState
    step: int = 0
    rows: Optional[torch.Tensor] = None
    gradient: Optional[torch.Tensor] = None
    function: Optional[GradientFunction] = None

    def moving(self, values: torch.Tensor) -> torch.Tensor:
        """Return the rows of the moving instances, of values of all instances."""
        return values if self.rows is None else values[self.rows]

    def merge(self, values: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
        """Return the values of all instances with those of the moving ones replaced by `moved`."""
        return moved if self.rows is None else values.index_copy(0, self.rows, moved)

    def narrow(self, x: Encoded, still_moving: torch.Tensor) -> "DescentState":
        """Return the state in which only some of the moving instances still move.

        # Parameters

        x : the input of all instances.
        still_moving : whether each moving instance still moves.
        """
        rows = torch.arange(len(self.z), device=self.z.device) if self.rows is None else self.rows
        index = still_moving.nonzero()[:, 0]
        gradient = None if self.gradient is None or not len(index) else self.gradient[index]
        return self._replace(
            num_steps=self.num_steps.index_fill(0, rows[~still_moving], self.step),
            x=x.rows(rows[index]),
            truth=None if self.truth is None else self.truth[index],
            optimizer=self.optimizer.rows(index),
            rows=rows[index],
            gradient=gradient,
            function=None,
        )


class Iterate(NamedTuple):
    """An iterate of a descent.

    # Fields

    y : `(batch, num_starts, *event_shape)`.
    score : s(x, y), `(batch, num_starts)`.
    """

    y: torch.Tensor
    score: torch.Tensor


class Descent(NamedTuple):
    """The state of a descent.

    # Fields

    iterates : the last iterates z.
    objectives : the objectives of all iterates, `(batch, num_starts)`.
    num_steps : the number of steps of each instance, `(batch,)`.
    """

    iterates: List[torch.Tensor]
    objectives: List[torch.Tensor]
    num_steps: torch.Tensor
