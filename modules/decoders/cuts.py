"""Decoders that turn on the positions whose measure exceeds a cutoff."""

from abc import ABC, abstractmethod
from typing import ClassVar, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..metrics import Sums
from ..output_spaces import OutputSpace
from .decoder import Decoder, Observation, Prediction
from .grid import GridDecoder, Parameters, Rule


def steps(count: int) -> List[float]:
    """Return i / (count + 1) for i = 1 … count.

    >>> steps(3)
    [0.25, 0.5, 0.75]
    """
    return [i / (count + 1) for i in range(1, count + 1)]


class CutDecoder(GridDecoder, ABC):
    """The base of rules by which a position is on where its measure exceeds a cutoff.

    A measure orders the positions of an instance as their probabilities do, so that the most
    probable one is on where any is. All candidates of the cutoff are evaluated in one pass. A
    subclass fills `measure`.
    """

    cut: ClassVar[str]
    """The name of the parameter that is the cutoff."""
    sign: ClassVar[int] = 1
    """The cutoff is `sign` times the parameter."""

    @abstractmethod
    def measure(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        """Return the measure of each position, `(batch, *event_shape)`."""

    def rule(self, prediction: Prediction) -> Rule:
        return lambda at: self.measure(prediction, at) > self.sign * at[self.cut]

    def grid_sums(self, observation: Observation, always_on: Optional[torch.Tensor] = None) -> Sums:
        """Return the sums of the metric at each point of the grid; positions in `always_on` are on
        at all of them."""
        prediction, labels, mask = observation
        cutoffs = [self.sign * value for value in self.grid[self.cut]]
        measure = self.completed(self.measure(prediction, self.values()), always_on)
        sums = self.metric.sums_at(
            prediction.probabilities, measure, labels, cutoffs[:: self.sign], mask
        )
        return sums if self.sign > 0 else {key: value.flip(0) for key, value in sums.items()}

    def completed(self, measure: torch.Tensor, always_on: Optional[torch.Tensor]) -> torch.Tensor:
        """Return the measure of complete outputs, with ∞ in `always_on`."""
        if always_on is not None:
            measure = measure.masked_fill(always_on, torch.inf)
        return self.output_space.complete_measure(measure)


@Decoder.register("threshold")
class ThresholdDecoder(CutDecoder):
    """Position i is on where p_i > t, for one t that is fixed, or fitted by a metric.

    >>> from structured_energy.output_spaces import BinaryOutputSpace
    >>> decoder = ThresholdDecoder(BinaryOutputSpace(), candidates=9)
    >>> prediction = Prediction(torch.tensor([[0.3, 0.15]]))
    >>> decoder.fit([Observation(prediction, torch.tensor([[True, False]]))])
    >>> round(float(decoder.threshold), 2)
    0.2
    >>> decoder.decode(prediction)
    tensor([[ True, False]])

    # Parameters

    threshold : `float`, optional
        t, in [0, 1]; fitted by default, from 0.5.
    metric : `Metric`, optional
        The metric to optimise.
    candidates : `int`
        The grid of t is i / (candidates + 1) for i = 1 … candidates.
    """

    cut = "threshold"
    threshold: torch.Tensor

    def __init__(
        self,
        output_space: OutputSpace,
        threshold: Optional[float] = None,
        metric: Optional[Metric] = None,
        candidates: int = 99,
    ) -> None:
        super().__init__(output_space, metric)
        self.add_parameter("threshold", threshold, 0.5, steps(candidates), 0.0, 1.0)

    def measure(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        return prediction.probabilities


def share_of_highest(probabilities: torch.Tensor) -> torch.Tensor:
    """Return p_i / max_j p_j of each instance; 0 where all are 0.

    >>> share_of_highest(torch.tensor([[0.2, 0.4]]))
    tensor([[0.5000, 1.0000]])
    """
    highest = probabilities.flatten(1).amax(1).view(-1, *[1] * (probabilities.dim() - 1))
    return probabilities / highest.clamp(min=torch.finfo(probabilities.dtype).tiny)


@Decoder.register("relative")
class RelativeDecoder(CutDecoder):
    """Position i is on where p_i > e · max_j p_j, relative to the most probable one of the
    instance; an output is never empty.

    # Parameters

    proportion : `float`, optional
        e, in [0, 1); fitted by default, from 0.5.
    metric : `Metric`, optional
        The metric to optimise.
    candidates : `int`
        The grid of e is i / (candidates + 1) for i = 1 … candidates.
    """

    cut = "proportion"
    proportion: torch.Tensor

    def __init__(
        self,
        output_space: OutputSpace,
        proportion: Optional[float] = None,
        metric: Optional[Metric] = None,
        candidates: int = 99,
    ) -> None:
        super().__init__(output_space, metric)
        self.add_parameter("proportion", proportion, 0.5, steps(candidates), 0.0, 1 - 1e-6)

    def measure(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        return share_of_highest(prediction.probabilities)


@Decoder.register("relative-and-absolute")
class RelativeAndAbsoluteDecoder(CutDecoder):
    """Position i is on where p_i > e · max_j p_j and p_i > t.

    # Parameters

    proportion : `float`, optional
        e, in [0, 1); fitted by default, from 0.5.
    threshold : `float`, optional
        t, in [0, 1]; fitted by default, from 0.5.
    metric : `Metric`, optional
        The metric to optimise.

    The grid of e is i / 25 for i = 0 … 24, that of t is i / 50 for i = 0 … 49.
    """

    cut = "threshold"
    proportion: torch.Tensor
    threshold: torch.Tensor

    def __init__(
        self,
        output_space: OutputSpace,
        proportion: Optional[float] = None,
        threshold: Optional[float] = None,
        metric: Optional[Metric] = None,
    ) -> None:
        super().__init__(output_space, metric)
        self.add_parameter("proportion", proportion, 0.5, [0.0, *steps(24)], 0.0, 1 - 1e-6)
        self.add_parameter("threshold", threshold, 0.5, [0.0, *steps(49)], 0.0, 1.0)

    def measure(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        p = prediction.probabilities
        return p.masked_fill(share_of_highest(p) <= parameters["proportion"], -torch.inf)

    def grid_sums(self, observation: Observation, always_on: Optional[torch.Tensor] = None) -> Sums:
        prediction, labels, mask = observation
        p, fixed = prediction.probabilities, self.values()
        share = share_of_highest(p)
        measures = self.completed(share, always_on), self.completed(p, always_on)
        proportions, thresholds = (
            self.grid.get(name, [fixed[name]]) for name in ("proportion", "threshold")
        )
        return self.metric.sums_at_both(p, measures, labels, (proportions, thresholds), mask)


@Decoder.register("top-k")
class TopKDecoder(CutDecoder):
    """The k most probable positions of each instance are on; of equally probable ones the first.

    # Parameters

    k : `int`, optional
        The number of positions; fitted by default.
    metric : `Metric`, optional
        The metric to optimise.
    max_k : `int`
        The grid of k is 1 … max_k.

    # Raises

    `ConfigurationError` for a k above the number of positions.
    """

    cut = "k"
    sign = -1
    k: torch.Tensor

    def __init__(
        self,
        output_space: OutputSpace,
        k: Optional[int] = None,
        metric: Optional[Metric] = None,
        max_k: int = 20,
    ) -> None:
        super().__init__(output_space, metric)
        if max_k < 1:
            raise ConfigurationError(
                f"Expected max_k of at least 1 in the decoder 'top-k', got {max_k}."
            )
        self.add_parameter("k", k, 1, list(range(1, max_k + 1)), 1)

    def measure(self, prediction: Prediction, parameters: Parameters) -> torch.Tensor:
        """Return −rank, from 0 for the most probable position."""
        flat = prediction.probabilities.flatten(1)
        if "k" not in self.grid and parameters["k"] > flat.shape[1]:
            raise ConfigurationError(
                f"Expected k of the decoder 'top-k' to be at most {flat.shape[1]}, the number of "
                f"labels or pixels, got {parameters['k']:g}."
            )
        order = flat.sort(dim=1, descending=True, stable=True).indices
        places = torch.arange(0, -flat.shape[1], -1, dtype=flat.dtype, device=flat.device)
        ranks = torch.empty_like(flat).scatter_(1, order, places.expand_as(flat))
        return ranks.view_as(prediction.probabilities)
