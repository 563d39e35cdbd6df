"""Inference by gradient descent on the output."""

from collections import deque
from contextlib import nullcontext
from typing import Any, ContextManager, Deque, Hashable, List, Literal, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from ..encoded import Encoded
from ..gradients import GradientFunction, ValueAndGradient
from ..logging import LoggedArray, LoggedMean
from ..losses import Loss
from ..networks import deterministic, frozen
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput
from ..score_networks import ScoreNetwork
from .descent_state import Descent, DescentState, Iterate
from .iterative import IterativeSampler
from .output_optimizers import OutputOptimizer, ProjectedGradient
from .random import UniformSampler
from .sampler import Sampler
from .selection import choose

Picker = Literal["best", "last", "last-n", "all"]


@Sampler.register("gradient-based-inference")
class GradientBasedInferenceSampler(IterativeSampler):
    """Outputs y_0 … y_T of gradient descent on −s(x, y), or on a loss that also depends on the
    truth (Belanger & McCallum 2016; adversarial samples of Gygli et al. 2017).

    All instances and starts move in one tensor. The encoding of x is computed once, and the score
    network's dropout is off. Its weights receive no gradient unless the inference is unrolled. An
    instance takes no further steps when all its starts have converged. Labels serve the losses
    only: a prediction always descends −s from `start`.

    # Parameters

    num_steps : `int`
        T, the maximum number of steps.
    optimizer : `OutputOptimizer`, optional
        `projected-gradient` by default.
    tolerance : `float`
        The relative change of the objective in a step at or below which an instance has converged;
        0 takes all steps.
    start : `Sampler`, optional
        The sampler of y_0, with a sample for each start. By default y_0 is the output nearest to
        zero. With an optimizer that moves the logits, starts at the edge of the relaxation are
        smoothed.
    truth_rate : `float`
        The share of starts that are the truth, where it is known.
    adversarial : `Loss`, optional
        The objective where the truth is known. It is a child in the tree of logged values, and logs
        only the last iterate.
    pick : `"best"`, `"last"`, `"last-n"` or `"all"`
        The iterates of each start that are returned as samples, among all T + 1.
    num_last : `int`
        n of `last-n`.
    unroll : `bool`
        Whether, in training, the samples are differentiable through the steps with respect to the
        score network's weights (Belanger et al. 2017). The truth is not used then.

    # Raises

    `ConfigurationError` for settings that do not fit, and for an `adversarial` loss that treats the
    output as a constant.
    """

    has_logits = True

    def __init__(
        self,
        output_space: OutputSpace,
        score_network: ScoreNetwork,
        num_steps: int = 20,
        optimizer: Optional[OutputOptimizer] = None,
        tolerance: float = 0.0,
        start: Optional[Sampler] = None,
        truth_rate: float = 0.0,
        adversarial: Optional[Loss] = None,
        pick: Picker = "best",
        num_last: int = 1,
        unroll: bool = False,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, score_network, num_steps, start, truth_rate, log_key=log_key)
        if pick not in ("best", "last", "last-n", "all") or not 1 <= num_last <= num_steps + 1:
            raise ConfigurationError(
                "Expected a pick among 'best', 'last', 'last-n', 'all' and a num_last from 1 to "
                f"num_steps + 1 in the sampler 'gradient-based-inference', got '{pick}' and "
                f"{num_last}."
            )
        self.optimizer = optimizer or ProjectedGradient(output_space)
        self.tolerance = tolerance
        self.adversarial = adversarial
        self.pick = pick
        self.num_last = num_last
        self.unroll = unroll
        if unroll and not (
            self.optimizer.differentiable and adversarial is None and not truth_rate
        ):
            raise ConfigurationError(
                "Expected no adversarial loss, truth_rate 0 and another optimizer than 'optimizer' "
                "where gradient-based inference is unrolled."
            )
        self.logging_buffer["steps"] = LoggedMean()
        self.logging_buffer["score"] = LoggedMean()
        self.logging_buffer["trajectory"] = LoggedArray()
        if adversarial is not None:
            self.adopt(adversarial, "adversarial")

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        kept = {"last": 1, "last-n": self.num_last}.get(self.pick)
        iterates, objectives = self._descent(x, truth, mask, kept)
        stacked = torch.stack(objectives, dim=2)  # (batch, num_starts, up to T + 1)
        self.log("trajectory", -stacked.mean(dim=(0, 1)))
        self.log("score", -stacked.amin(dim=2))
        self.check_scores(stacked)
        if self.pick in ("all", "last-n"):
            picked = torch.cat(iterates, dim=1)
        elif self.pick == "last":
            picked = iterates[-1]
        else:
            best = stacked.argmin(dim=2)
            picked = iterates[0]
            for step, iterate in enumerate(iterates):
                picked = choose(best == step, iterate, picked)
        return SamplerOutput(self.optimizer.output(picked), self.optimizer.logits(picked))

    def path(self, x: Any, mask: Optional[torch.Tensor] = None) -> List[Iterate]:
        """Return the iterates y_0 … y_T of a prediction, or fewer if all instances converge."""
        iterates, objectives = self._descent(x, None, mask)
        return [
            Iterate(self.optimizer.output(z).detach(), -objective)
            for z, objective in zip(iterates, objectives, strict=True)
        ]

    def _descent(
        self,
        x: Any,
        truth: Optional[torch.Tensor],
        mask: Optional[torch.Tensor],
        kept: Optional[int] = None,
    ) -> Tuple[List[torch.Tensor], List[torch.Tensor]]:
        """Return the last `kept` (by default all) iterates z, and the objectives
        `(batch, num_starts)` of all iterates."""
        x = Encoded.of(x, mask)
        unrolled = self.unroll and self.training and torch.is_grad_enabled()
        scope = deterministic if unrolled else frozen
        # The adversarial loss trains the score network; it counts and logs only the steps of that.
        quiet = self.training and self.score_network.is_frozen
        with self._quiet(quiet), scope(self.score_network), torch.enable_grad():
            # All iterates are too many to keep them for another sampler.
            if kept is not None and not self.training and self._is_prediction(truth):
                key = (kept, *self._settings())
                descent = x.once(key, lambda: self._from_start(x, None, False, kept))
            else:
                descent = self._from_start(x, truth, unrolled, kept)
        self.log("steps", descent.num_steps)
        return descent.iterates, descent.objectives

    def _is_prediction(self, truth: Optional[torch.Tensor]) -> bool:
        """Return whether all that a descent does follows from x and the weights."""
        knows_nothing = truth is None or (self.adversarial is None and not self.truth_rate)
        return knows_nothing and (self.start is None or type(self.start) is UniformSampler)

    def _settings(self) -> Tuple[Hashable, ...]:
        """Return what a prediction depends on besides x: samplers that agree share it."""
        num_starts = self.start.num_samples if isinstance(self.start, UniformSampler) else 0
        values = (v if isinstance(v, Hashable) else id(v) for v in vars(self.optimizer).values())
        own = (type(self), self.score_network, self.num_steps, self.tolerance, num_starts)
        return (*own, type(self.optimizer), *values)

    def _from_start(
        self, x: Encoded, truth: Optional[torch.Tensor], unrolled: bool, kept: Optional[int]
    ) -> Descent:
        y = self.starts(x, truth, x.mask, self.optimizer.smoothing)
        z = self.optimizer.variable(y).detach()
        return self._descend(x, z, truth, unrolled, kept)

    def _descend(
        self,
        x: Encoded,
        z: torch.Tensor,
        truth: Optional[torch.Tensor],
        unrolled: bool,
        kept: Optional[int],
    ) -> Descent:
        """Return the descent from z on."""
        iterates: Deque[torch.Tensor] = deque(maxlen=kept)
        objectives: List[torch.Tensor] = []
        state = DescentState(
            z,
            objective=z.new_zeros(z.shape[:2]),
            num_steps=torch.full((len(z),), float(self.num_steps), device=z.device),
            x=x,
            truth=truth,
            optimizer=self.optimizer.init(z),
        )
        # The adversarial loss logs, and counts the step, only at the end of the descent.
        with self._quiet():
            state = self._evaluate(state, x, unrolled)
            while state.gradient is not None:
                iterates.append(state.z)
                objectives.append(state.objective)
                state = self._evaluate(self._step(state, state.gradient), x, unrolled)
        iterates.append(state.z)
        with torch.no_grad():
            objectives.append(self._objective(x, self.optimizer.output(state.z), truth))
        return Descent(list(iterates), objectives, state.num_steps)

    def _evaluate(self, state: DescentState, x: Encoded, unrolled: bool) -> DescentState:
        """Return the state with the objective and its gradient at z, narrowed to the instances of x
        that have not converged."""
        if state.step == self.num_steps:
            return state._replace(gradient=None)
        z = state.moving(state.z)
        function = state.function
        if unrolled:
            values, gradient = self._unrolled_gradient(state.x, z)
        else:
            function = function or self._gradient_function(state.x, state.truth)
            values, gradient = self._gradient(function, z)
        objective = state.merge(state.objective, values)
        evaluated = state._replace(objective=objective, gradient=gradient, function=function)
        if state.step == 0 or self.tolerance == 0:
            return evaluated
        before = state.moving(state.objective)
        change = (values - before).abs()
        moving = (change > self.tolerance * before.abs().clamp(min=1e-12)).any(dim=1)
        return evaluated if moving.all() else evaluated.narrow(x, moving)

    def _step(self, state: DescentState, gradient: torch.Tensor) -> DescentState:
        """Return the state after a step of the instances that still move."""
        z, optimizer = self.optimizer.step(state.moving(state.z), gradient, state.optimizer)
        return state._replace(z=state.merge(state.z, z), optimizer=optimizer, step=state.step + 1)

    def _quiet(self, quiet: bool = True) -> ContextManager[None]:
        """Return a context in which the adversarial loss, if there is one, logs nothing."""
        loss = self.adversarial
        return loss.no_logging() if quiet and loss is not None else nullcontext()

    def _gradient_function(self, x: Encoded, truth: Optional[torch.Tensor]) -> GradientFunction:
        """Return the function of y that returns the objective and its gradient in y."""
        if truth is not None and self.adversarial is not None:
            return self.adversarial.gradient_function(x, truth, x.mask)
        return self.score_network.gradient_function(x, x.mask, -1.0)

    def _gradient(self, function: GradientFunction, z: torch.Tensor) -> ValueAndGradient:
        """Return the objective `(batch, num_starts)` of the output of z, and its gradient in that
        output or in z, as the optimizer takes it; both are constants."""
        with torch.no_grad():
            values, gradient = function(self.optimizer.output(z))
            if not self.optimizer.gradient_of_output:
                gradient = self.optimizer.pull_back(z, gradient)
        return values, gradient

    def _unrolled_gradient(self, x: Encoded, z: torch.Tensor) -> ValueAndGradient:
        """Return the objective of the output of z, a constant, and its gradient, which is
        differentiable in z and in the weights of the score network."""
        if not z.requires_grad:
            z = z.detach().requires_grad_()
        y = self.optimizer.output(z)
        values = self._objective(x, y, None)
        variable = y if self.optimizer.gradient_of_output else z
        (gradient,) = torch.autograd.grad(values.sum(), variable, create_graph=True)
        return values.detach(), gradient

    def _objective(
        self,
        x: Encoded,
        y: torch.Tensor,
        truth: Optional[torch.Tensor],
    ) -> torch.Tensor:
        """Return the objective of y, `(batch, num_starts)`."""
        if truth is None or self.adversarial is None:
            return -self.score_network(x, y, x.mask)
        return self.adversarial.unreduced(x, truth, SamplerOutput(y), x.mask)
