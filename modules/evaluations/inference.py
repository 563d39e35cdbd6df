"""The task metrics of another inference."""

import copy
from typing import Any, ContextManager, Dict, List, Mapping, Optional

import torch
from allennlp.training.metrics import Metric

from ..decoders import ArgmaxDecoder, Decoder, Evaluation
from ..encoded import Encoded
from ..logging import LoggedMean
from ..metrics import StructuredMetric
from ..output_spaces import OutputSpace
from ..samplers import Sampler, best_sample, scores_of
from ..score_networks import ScoreNetwork
from .evaluation_module import EvaluationModule


@EvaluationModule.register("inference")
class InferenceEvaluation(EvaluationModule):
    """The task metrics of the outputs of another sampler, such as gradient-based inference from
    the task network's output, and their mean `score`.

    The sampler receives no labels. Of several samples the one with the highest score counts.

    # Parameters

    sampler : `Sampler`
        The inference.
    score_network : `ScoreNetwork`, optional
        Given by the model, where it has one.
    metrics : `List[Metric]`, optional
        By default those of the model.
    decoder : `Decoder`, optional
        Turns predictions into outputs, fitted at each validation; by default `argmax`.
    """

    score_network: Optional[ScoreNetwork]

    def __init__(
        self,
        output_space: OutputSpace,
        sampler: Sampler,
        score_network: Optional[ScoreNetwork] = None,
        metrics: Optional[List[Metric]] = None,
        decoder: Optional[Decoder] = None,
        log_key: Optional[str] = None,
    ) -> None:
        super().__init__(output_space, log_key)
        self.sampler = sampler
        self.score_network = score_network
        self.decoder = decoder or ArgmaxDecoder(output_space)
        # The sums are not those of the model's own predictions.
        self.evaluation = Evaluation(copy.deepcopy(metrics or []), self.decoder)
        if score_network is not None:
            self.logging_buffer["score"] = LoggedMean()
        self.adopt(sampler, "sampler")

    @property
    def metrics(self) -> Mapping[str, StructuredMetric]:
        return self.evaluation.metrics

    def fitting(self) -> ContextManager[None]:
        return self.evaluation.fitting()

    def values(self, reset: bool) -> Dict[str, float]:
        values = super().values(reset)
        if reset and values:
            fitted = self.decoder.fitted_values().items()
            values.update({f"decoder.{name}": value for name, value in fitted})
        return values

    def evaluate(self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor]) -> None:
        existing = self.output_space.existing_positions(mask)
        x = Encoded.of(x, existing)
        y = self.sampler.sample(x, None, existing).y
        if self.score_network is not None or y.shape[1] > 1:
            scores = scores_of(y, x, self.score_network, existing)
            y = best_sample(y, scores)
            self.log("score", scores.amax(dim=1))
        prediction = self.decoder.predict(x, y[:, 0], existing)
        self.evaluation(prediction, labels, mask)
