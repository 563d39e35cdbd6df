"""The metrics of a model's outputs, with the decoder that makes them."""

from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional

import torch
from allennlp.training.metrics import Metric

from ..metrics import fitting, values_of
from .decoder import Decoder, Observation, Prediction


class Evaluation:
    """Evaluate predictions by the metrics of a config, after fitting the decoder.

    # Parameters

    metrics : `List[Metric]`
    decoder : `Decoder`
    """

    def __init__(self, metrics: List[Metric], decoder: Decoder) -> None:
        kind = decoder.output_space.kind
        fitting_ones = [fitting(metric, kind, "the model") for metric in metrics]
        self.metrics = {metric.name: metric for metric in fitting_ones}
        self.decoder = decoder
        self._postponed: Optional[List[Observation]] = None

    def __call__(
        self, prediction: Prediction, labels: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> None:
        """Add a batch of predictions and labels; the mask is false where a label is unknown."""
        if self._postponed is not None:
            self._postponed.append(Observation(prediction, labels, mask))
        else:
            self._add(prediction, labels, mask)

    def _add(
        self, prediction: Prediction, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> None:
        if not self.metrics:
            return
        outputs = self.decoder.decode(prediction)
        for metric in self.metrics.values():
            metric(prediction.probabilities, outputs, labels, mask)

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Fit the decoder to the batches added inside the context, and evaluate them with it at the
        end. Does nothing for a decoder without parameters to fit."""
        if not self.decoder.is_fitted_to_data:
            yield
            return
        self._postponed = []
        try:
            yield
            observations, self._postponed = self._postponed, None
            self.decoder.fit(observations)
            for observation in observations:
                self._add(*observation)
        finally:
            self._postponed = None

    def values(self, reset: bool) -> Dict[str, float]:
        """Return the values of the metrics; the expensive ones only with `reset`."""
        return values_of(self.metrics, reset)
