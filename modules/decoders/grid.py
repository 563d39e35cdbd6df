"""Decoders whose parameters are the best of a grid."""

import itertools
from abc import ABC, abstractmethod
from typing import Callable, Dict, List, Optional, Sequence

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..metrics import UNIT, Sums
from ..output_spaces import OutputSpace
from ..settings import register_setting
from .decoder import Curve, Decoder, Observation, Prediction

# Values that differ by no more are equal: a mean of rounded fractions is off by half a unit.
RESOLUTION = 2 * UNIT

Parameters = Dict[str, float]
Rule = Callable[[Parameters], torch.Tensor]


class GridDecoder(Decoder, ABC):
    """The base of decoders whose parameters are chosen from a grid by a metric.

    Every point of the grid is evaluated. Of equally good ones (up to 2e-12) the nearest to where
    the parameters start is taken, counted in steps of the grid, and of those as near the first. The
    size of the batches and the number of workers have no influence.

    A subclass registers its parameters by `add_parameter` and fills `rule`.
    """

    def __init__(self, output_space: OutputSpace, metric: Optional[Metric] = None) -> None:
        super().__init__(output_space, metric)
        self.grid: Dict[str, List[float]] = {}
        self._start: Dict[str, float] = {}

    def add_parameter(
        self,
        name: str,
        value: Optional[float],
        start: float,
        grid: Sequence[float],
        low: float,
        high: float = float("inf"),
    ) -> None:
        """Register a parameter as a buffer: the `value` of the config, or where it is `None` one
        that starts at `start` and is fitted on a rising grid.

        # Raises

        `ConfigurationError` for a value outside `[low, high]`, or an empty grid.
        """
        if value is not None and not low <= value <= high:
            raise ConfigurationError(
                f"Expected {name} in [{low:g}, {high:g}] in the decoder {type(self).__name__}, got "
                f"{value:g}."
            )
        if value is None and not grid:
            raise ConfigurationError(
                f"Expected at least 1 candidate for {name} in the decoder {type(self).__name__}, "
                "got none."
            )
        self._start[name] = start
        if value is not None:
            register_setting(self, name, torch.tensor(float(value)))
        else:
            self.register_buffer(name, torch.tensor(float(start)))
            self.grid[name] = torch.tensor(list(grid), dtype=torch.float32).tolist()

    def values(self) -> Parameters:
        """Return the parameters, fitted or set."""
        return {name: float(getattr(self, name)) for name in self._start}

    def use(self, parameters: Parameters) -> None:
        """Set the fitted parameters."""
        for name in self.grid:
            getattr(self, name).fill_(parameters[name])

    def points(self) -> List[Parameters]:
        """Return the points of the grid; the last parameter varies fastest."""
        fixed = self.values()
        products = itertools.product(*self.grid.values())
        return [{**fixed, **dict(zip(self.grid, point, strict=True))} for point in products]

    @abstractmethod
    def rule(self, prediction: Prediction) -> Rule:
        """Return the function that decodes the prediction with given parameters; computations that
        do not depend on them are done once."""

    def decode(self, prediction: Prediction) -> torch.Tensor:
        return self.output_space.complete(self.rule(prediction)(self.values()))

    def grid_sums(self, observation: Observation) -> Sums:
        """Return the sums of the metric at each point of the grid, `(num_points, ...)`."""
        prediction, labels, mask = observation
        rule = self.rule(prediction)
        each = [
            self.metric.batch_sums(
                prediction.probabilities, self.output_space.complete(rule(point)), labels, mask
            )
            for point in self.points()
        ]
        return {key: torch.stack([sums[key] for sums in each]) for key in each[0]}

    def fit(self, observations: List[Observation]) -> None:
        if self.grid and observations:
            self.use(self.points()[self._best(self._grid_values(observations))])

    def fitted_values(self) -> Dict[str, float]:
        values = self.values()
        return {name: values[name] for name in self.grid}

    def curves(self, observations: List[Observation]) -> List[Curve]:
        if not self.grid or not observations:
            return []
        used, sizes = self.values(), [len(candidates) for candidates in self.grid.values()]
        places = [
            int(np.abs(np.array(candidates) - used[name]).argmin())
            for name, candidates in self.grid.items()
        ]
        values = np.array(self._grid_values(observations)).reshape(sizes)
        curves = []
        for axis, (name, candidates) in enumerate(self.grid.items()):
            line = tuple(slice(None) if i == axis else at for i, at in enumerate(places))
            at = values[line].tolist()
            curves.append(Curve(name, candidates, at, self.metric.name, used[name]))
        return curves

    def _grid_values(self, observations: List[Observation]) -> List[float]:
        """Return the metric at each point of the grid, over the data of all workers."""
        total: Sums = {}
        for observation in observations:
            sums = self.grid_sums(observation)
            total = {key: total[key] + sums[key] for key in sums} if total else sums
        return self.metric.numbers(self.metric.over_all_workers(total))

    def _best(self, values: List[float]) -> int:
        """Return the index of the best point by the values of the metric."""
        sign = 1 if self.metric.higher_is_better else -1
        highest = max(sign * value for value in values)
        start = [
            np.interp(self._start[name], candidates, range(len(candidates)))
            for name, candidates in self.grid.items()
        ]
        steps = itertools.product(*(range(len(candidates)) for candidates in self.grid.values()))
        distances = [sum(abs(a - b) for a, b in zip(at, start, strict=True)) for at in steps]
        ties = [i for i, value in enumerate(values) if highest - sign * value <= RESOLUTION]
        # In millionths of a step, so that distances on both sides of the start are equal.
        return min(ties, key=lambda i: int(1e6 * distances[i] + 0.5))
