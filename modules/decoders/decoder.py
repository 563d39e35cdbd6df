"""The base of decoders, which turn relaxed predictions into outputs."""

import logging
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Dict, List, NamedTuple, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from ..metrics import ExampleF1, StructuredMetric, TagAccuracy, fitting
from ..networks import Borrower
from ..output_spaces import OutputSpace

logger = logging.getLogger(__name__)


class Prediction(NamedTuple):
    """A relaxed prediction for a batch.

    # Fields

    probabilities : `(batch, *event_shape)`.
    mask : the positions that exist, `(batch, *position_shape)`; `None` if all do.
    draws : discrete outputs, bool `(batch, num_draws, *event_shape)`; `None` for decoders that need
        none.
    scores : the scores of the draws, `(batch, num_draws)`; `None` without a score network.
    log_prob : the log-probabilities of the draws under their proposal distribution,
        `(batch, num_draws)`; `None` where the sampler has none.
    """

    probabilities: torch.Tensor
    mask: Optional[torch.Tensor] = None
    draws: Optional[torch.Tensor] = None
    scores: Optional[torch.Tensor] = None
    log_prob: Optional[torch.Tensor] = None


class Observation(NamedTuple):
    """A prediction and the true labels of the batch; the mask is false where a label is unknown."""

    prediction: Prediction
    labels: torch.Tensor
    mask: Optional[torch.Tensor] = None


class Curve(NamedTuple):
    """A metric as a function of a fitted parameter of a decoder.

    # Fields

    parameter : the name of the parameter.
    candidates : the values of the parameter.
    values : the metric at each candidate, the other parameters as fitted.
    metric : the name of the metric.
    used : the fitted value of the parameter.
    """

    parameter: str
    candidates: List[float]
    values: List[float]
    metric: str
    used: float


class Decoder(Borrower, Registrable, ABC):
    """Turns a relaxed prediction into labels, by a rule that may be fitted to validation data.

    The model fits its decoder at the end of each validation, before the metrics are computed, and
    saves the fitted parameters with the weights. A parameter that the config sets is not fitted,
    and wins over the saved value. An output depends on its instance only, never on the batch.

    A subclass fills `decode`, and `fit` if it has something to fit.

    # Parameters

    output_space : `OutputSpace`
    metric : `Metric`, optional
        The metric to optimise, in its own direction; by default `example-f1` for binary outputs and
        `tag-accuracy` for categorical ones.

    # Raises

    `ConfigurationError` for an output space in which the rule has no meaning, or a metric in which
    the outputs play no part.
    """

    binary_only: ClassVar[bool] = True
    """Whether the rule has a meaning for binary outputs only."""

    default_implementation = "argmax"

    def __init__(self, output_space: OutputSpace, metric: Optional[Metric] = None) -> None:
        super().__init__()
        if self.binary_only and not output_space.is_binary:
            raise ConfigurationError(
                f"Expected the output space 'binary' for the decoder {type(self).__name__}, got "
                f"{type(output_space).__name__}; use the decoder 'argmax', 'rerank' or "
                "'minimum-bayes-risk'."
            )
        self.output_space = output_space
        if metric is None:
            metric = ExampleF1() if output_space.is_binary else TagAccuracy()
        self.metric = self.fitting_metric(metric)

    def fitting_metric(self, metric: Metric) -> StructuredMetric:
        """Return a metric of the outputs of the decoder.

        # Raises

        `ConfigurationError` for a metric of other outputs, or in which they play no part.
        """
        component = f"the decoder {type(self).__name__}"
        fitting_one = fitting(metric, self.output_space.kind, component)
        if not fitting_one.uses_predictions:
            raise ConfigurationError(
                "Expected a metric in which the outputs play a part, such as 'example-f1', for "
                f"{component}, got '{fitting_one.name}'."
            )
        return fitting_one

    def predict(
        self, x: Any, probabilities: torch.Tensor, mask: Optional[torch.Tensor] = None
    ) -> Prediction:
        """Return the prediction that `decode` takes: the probabilities `(batch, *event_shape)`, and
        draws and scores where the rule uses them.

        `mask` holds the positions that exist.
        """
        return Prediction(probabilities, mask)

    @abstractmethod
    def decode(self, prediction: Prediction) -> torch.Tensor:
        """Return the labels in the form that readers yield: bool `(batch, *event_shape)` in the
        space `binary`, tags `(batch, num_tokens)` in `categorical`."""

    def fit(self, observations: List[Observation]) -> None:
        """Fit the parameters to observations, over the data of all workers; without observations
        they do not change."""
        return

    @property
    def is_fitted_to_data(self) -> bool:
        """Whether there is a parameter to fit."""
        return bool(self.fitted_values())

    def fitted_values(self) -> Dict[str, float]:
        """Return the fitted parameters that are reported, by name."""
        return {}

    def curves(self, observations: List[Observation]) -> List[Curve]:
        """Return the metric as a function of each fitted parameter."""
        return []

    def _load_from_state_dict(self, state_dict: Dict[str, Any], prefix: str, *rest: Any) -> None:
        own = {prefix + name: value for name, value in self.state_dict().items()}
        saved = {key for key in state_dict if key.startswith(prefix)}
        if saved != own.keys():
            # Another decoder was saved: the config's is used, with the parameters that it sets.
            for key in saved - own.keys():
                del state_dict[key]  # of torch's copy
            state_dict.update({key: own[key] for key in own.keys() - saved})
            if self.is_fitted_to_data:
                logger.warning(
                    "The decoder of the config, %s, is not the saved one, so that its parameters "
                    "%s are not fitted; `allennlp decode` fits them without training.",
                    type(self).__name__,
                    self.fitted_values(),
                )
        super()._load_from_state_dict(state_dict, prefix, *rest)


@Decoder.register("argmax")
class ArgmaxDecoder(Decoder):
    """The most probable value of each position: in the space `binary` the labels with a probability
    above 0.5."""

    binary_only = False

    def __init__(self, output_space: OutputSpace) -> None:
        super().__init__(output_space)

    def decode(self, prediction: Prediction) -> torch.Tensor:
        return self.output_space.decode(prediction.probabilities)
