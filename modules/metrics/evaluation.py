"""The metrics of a model's predictions, with the threshold that they share."""

from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional, Tuple

import torch
from allennlp.training.metrics import Metric

from .structured_metric import as_structured
from .threshold import Threshold


class Evaluation:
    """Evaluate predictions by the metrics of a config, after tuning the threshold if it is tunable.

    # Parameters

    metrics : `List[Metric]`
    threshold : `Threshold`
    """

    def __init__(self, metrics: List[Metric], threshold: Threshold) -> None:
        self.metrics = {metric.name: metric for metric in map(as_structured, metrics)}
        self.threshold = threshold
        self._postponed: Optional[
            List[Tuple[torch.Tensor, torch.Tensor, Optional[torch.Tensor]]]
        ] = None

    def __call__(
        self, probabilities: torch.Tensor, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> None:
        """Add a batch of predictions `(batch, *event_shape)`."""
        if self._postponed is not None:
            self.threshold.observe(probabilities, labels, mask)
            self._postponed.append((probabilities, labels, mask))
            return
        for metric in self.metrics.values():
            metric(probabilities, labels, self.threshold.value, mask)

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """Tune the threshold on the batches added inside the context, and evaluate them with it at
        the end. Does nothing for a fixed threshold."""
        if not self.threshold.tunable:
            yield
            return
        self._postponed = []
        try:
            with self.threshold.tuning():
                yield
            postponed, self._postponed = self._postponed, None
            for judged in postponed:
                self(*judged)
        finally:
            self._postponed = None

    def values(self, reset: bool) -> Dict[str, float]:
        """Return the values of the metrics; the expensive ones only with `reset`."""
        values: Dict[str, float] = {}
        for name, metric in self.metrics.items():
            if (reset or metric.cheap) and metric.has_seen_data:
                found = metric.get_metric(reset)
                several = found if isinstance(found, dict) else {"": found}
                values.update({name + which: value for which, value in several.items()})
        return values
