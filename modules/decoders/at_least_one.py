"""A decoder whose outputs are never empty."""

from typing import Any, Dict, List, Optional

import torch

from ..metrics import Sums
from ..output_spaces import OutputSpace
from .cuts import CutDecoder
from .decoder import Curve, Decoder, Observation, Prediction
from .grid import GridDecoder, Parameters, Rule


def most_probable(probabilities: torch.Tensor) -> torch.Tensor:
    """Return where the most probable position of each instance is, the first of equal ones, bool
    `(batch, *event_shape)`."""
    flat = probabilities.flatten(1)
    first = torch.zeros_like(flat, dtype=torch.bool)
    return first.scatter_(1, flat.argmax(1, keepdim=True), True).view_as(probabilities)


def filled(labels: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Return the labels, with the most probable position on in outputs without any."""
    empty = ~labels.flatten(1).any(1).view(-1, *[1] * (labels.dim() - 1))
    return labels | (empty & most_probable(probabilities))


@Decoder.register("at-least-one")
class AtLeastOneDecoder(GridDecoder):
    """Another decoder, with the most probable position on where no position would be.

    The parameters of the other decoder are fitted with these outputs.

    # Parameters

    decoder : `Decoder`
        The other decoder.
    """

    def __init__(self, output_space: OutputSpace, decoder: Decoder) -> None:
        super().__init__(output_space, decoder.metric)
        self.decoder = decoder
        if isinstance(decoder, GridDecoder):
            self.grid, self._start = decoder.grid, decoder._start

    def predict(
        self, x: Any, probabilities: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Prediction:
        return self.decoder.predict(x, probabilities, mask)

    def values(self) -> Parameters:
        return self.decoder.values() if isinstance(self.decoder, GridDecoder) else {}

    def use(self, parameters: Parameters) -> None:
        if isinstance(self.decoder, GridDecoder):
            self.decoder.use(parameters)

    def rule(self, prediction: Prediction) -> Rule:
        if isinstance(self.decoder, GridDecoder):
            rule = self.decoder.rule(prediction)
            return lambda at: filled(rule(at), prediction.probabilities)
        return lambda at: filled(self.decoder.decode(prediction), prediction.probabilities)

    def grid_sums(self, observation: Observation) -> Sums:
        if isinstance(self.decoder, CutDecoder):
            top = most_probable(observation.prediction.probabilities)
            return self.decoder.grid_sums(observation, top)
        return super().grid_sums(observation)

    def fit(self, observations: List[Observation]) -> None:
        if isinstance(self.decoder, GridDecoder):
            super().fit(observations)
        else:
            self.decoder.fit(observations)

    def fitted_values(self) -> Dict[str, float]:
        return self.decoder.fitted_values()

    def curves(self, observations: List[Observation]) -> List[Curve]:
        if isinstance(self.decoder, GridDecoder):
            return super().curves(observations)
        return self.decoder.curves(observations)
