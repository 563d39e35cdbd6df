"""Diagnoses of models on data with labels, for plots and reports."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

import numpy as np
import torch

from ..decoders import Curve, Observation
from ..losses import ValueRegressionLoss
from ..metrics import PartMetric
from ..models import StructuredEnergyModel
from ..output_spaces.hierarchy import Hierarchy
from ..samplers import GradientBasedInferenceSampler
from ..taxonomy import Taxonomy
from .inspection import inspecting, labelled

RATES = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)  # of the positions of the truth that are redrawn


@dataclass
class Calibration:
    """The values of outputs by the value network, and their oracle values."""

    predicted: np.ndarray
    oracle: np.ndarray


@dataclass
class LabelCounts:
    """The number of instances and positions where each label is true, predicted, and both."""

    true: np.ndarray
    predicted: np.ndarray
    both: np.ndarray

    @property
    def f1(self) -> np.ndarray:
        """2 · both / (true + predicted) of each label; 0 for a label that is neither."""
        return 2 * self.both / np.maximum(self.true + self.predicted, 1)


class TypeCounts(NamedTuple):
    """The spans, or the roles, of each type.

    # Fields

    types : their names.
    confusion : how often one of each type is true (rows) and predicted (columns) at the same place;
        the last row and column are of places without one.
    """

    types: List[str]
    confusion: np.ndarray

    def rows(self) -> List[Dict[str, Any]]:
        """Return a row for each type that occurs, the most frequent first: `type`, `f1`,
        `precision`, `recall`, and the number that is `true` and `predicted`; `None` for a ratio
        over nothing."""
        true, predicted = self.confusion.sum(1), self.confusion.sum(0)
        rows = []
        for at in np.argsort(-true[:-1], kind="stable").tolist():
            right, t, p = (int(each) for each in (self.confusion[at, at], true[at], predicted[at]))
            if t + p:
                row = {"type": self.types[at], "f1": 2 * right / (t + p), "true": t, "predicted": p}
                row["precision"], row["recall"] = (right / n if n else None for n in (p, t))
                rows.append(row)
        return rows


@dataclass
class Diagnosis:
    """The diagnosis of a model on N instances; a field is `None` where the model has no such part.

    # Fields

    oracle_values : of the decoded predictions, `(N,)`.
    agreement : 1 minus the distance of the decoded predictions from the truth, `(N,)`.
    truth_scores, prediction_scores : `(N,)`; the prediction is relaxed.
    calibration : of the predictions, and of the truth with growing shares of redrawn positions.
    path : the score of each instance at each step of gradient-based inference, of the best start,
        `(T + 1, N)`.
    labels : the counts of sets of labels and sequences of tags.
    confusion : how often each tag is true (rows) and each is predicted (columns).
    types : the counts of spans or roles, of models with a metric of them.
    decoder : the metric over each fitted parameter of the decoder.
    taxonomy : of the labels, in their order.
    violations : the number of labels without one of their parents in each decoded prediction,
        `(N,)`.
    """

    oracle_values: Optional[np.ndarray] = None
    agreement: Optional[np.ndarray] = None
    truth_scores: Optional[np.ndarray] = None
    prediction_scores: Optional[np.ndarray] = None
    calibration: Optional[Calibration] = None
    path: Optional[np.ndarray] = None
    labels: Optional[LabelCounts] = None
    confusion: Optional[np.ndarray] = None
    types: Optional[TypeCounts] = None
    decoder: List[Curve] = field(default_factory=list)
    taxonomy: Optional[Taxonomy] = None
    violations: Optional[np.ndarray] = None


def diagnose(model: StructuredEnergyModel, batches: Iterable[Dict[str, Any]]) -> Diagnosis:
    """Predict batches with labels, and return the scores and values of the parts of the model.

    The model is only inspected: nothing is logged or tuned (see `inspecting`).

    # Raises

    `ValueError` for a batch without labels.
    """
    found: Dict[str, List[np.ndarray]] = {}
    observations: List[Observation] = []
    taxonomy = taxonomy_of(model)
    hierarchy = None if taxonomy is None else Hierarchy(taxonomy)
    with inspecting(model) as device:
        for batch in batches:
            x, labels, mask = labelled(model, batch, device, "a batch")
            prediction = model(x=x, mask=mask)["prediction"]
            observation = Observation(prediction, labels, mask)
            if model.decoder.is_fitted_to_data:
                observations.append(observation)
            for name, values in _of_batch(model, x, observation, hierarchy).items():
                found.setdefault(name, []).append(values.cpu().numpy())
        curves = model.decoder.curves(observations)

    def joined(name: str, axis: int = 0) -> np.ndarray:
        return np.concatenate(found[name], axis)

    diagnosis = Diagnosis(decoder=curves, taxonomy=taxonomy)
    of_instances = ("oracle_values", "agreement", "truth_scores", "prediction_scores", "violations")
    for name in of_instances:
        if name in found:
            setattr(diagnosis, name, joined(name))
    if "path" in found:
        longest = max(len(path) for path in found["path"])  # the score stays after convergence
        found["path"] = [np.pad(p, ((0, longest - len(p)), (0, 0)), "edge") for p in found["path"]]
        diagnosis.path = joined("path", axis=1)
    if "values" in found:
        diagnosis.calibration = Calibration(joined("values"), joined("values_oracle"))
    if "label_true" in found:
        true, predicted, both = (
            np.sum(found[f"label_{kind}"], axis=0) for kind in ("true", "predicted", "both")
        )
        diagnosis.labels = LabelCounts(true, predicted, both)
    if "confusion" in found:
        diagnosis.confusion = np.sum(found["confusion"], axis=0)
    metric = part_metric_of(model)
    if metric is not None and "types" in found:
        names = [metric.types[i] for i in metric.counted]
        diagnosis.types = TypeCounts(names, np.sum(found["types"], axis=0))
    return diagnosis


def part_metric_of(model: StructuredEnergyModel) -> Optional[PartMetric]:
    """Return the first metric of spans or roles of a model; `None` without one."""
    metrics = model.evaluation.metrics.values()
    return next((metric for metric in metrics if isinstance(metric, PartMetric)), None)


def taxonomy_of(model: StructuredEnergyModel) -> Optional[Taxonomy]:
    """Return the taxonomy of the labels: of the output space, of a metric, or of the data; `None`
    without one."""
    owners = [model.output_space, *model.evaluation.metrics.values()]
    found = [getattr(owner, "taxonomy", None) for owner in owners]
    return next(
        (each for each in found if isinstance(each, Taxonomy)), Taxonomy.of_vocabulary(model.vocab)
    )


def descent_of(model: StructuredEnergyModel) -> Optional[GradientBasedInferenceSampler]:
    """Return the gradient-based inference of the model, which may be inside another sampler."""
    parts = model.inference.modules()
    return next((part for part in parts if isinstance(part, GradientBasedInferenceSampler)), None)


def _of_batch(
    model: StructuredEnergyModel, x: Any, observation: Observation, hierarchy: Optional[Hierarchy]
) -> Dict[str, torch.Tensor]:
    space = model.output_space
    prediction, labels, mask = observation
    y = prediction.probabilities.unsqueeze(1)
    truth = space.encode(labels, y.dtype)
    outputs = model.decoder.decode(prediction)
    decoded = space.encode(outputs, y.dtype)
    found: Dict[str, torch.Tensor] = {}
    for kind, values in (("true", truth), ("predicted", decoded), ("both", truth * decoded)):
        mass = space.label_mass(values, mask)
        if mass is not None:
            found[f"label_{kind}"] = mass
    if hierarchy is not None:
        found["violations"] = hierarchy.on(y.device).violations(outputs.bool(), mask)
    confusion = space.confusion(truth, decoded, mask)
    if confusion is not None:
        found["confusion"] = confusion
    metric = part_metric_of(model)
    if metric is not None:
        found["types"] = metric.confusion(outputs, labels, mask)
    found["agreement"] = 1 - space.distance(truth, decoded, mask)[:, 0]
    if model.oracle_value is not None:
        found["oracle_values"] = model.oracle_value.value(truth, decoded, mask)[:, 0]
    network = model.score_network
    if network is None:
        return found
    found["truth_scores"] = network(x, truth, mask)[:, 0]
    found["prediction_scores"] = network(x, y, mask)[:, 0]
    losses = [] if model.loss is None else list(model.loss.modules())
    value = next((loss for loss in losses if isinstance(loss, ValueRegressionLoss)), None)
    if value is not None and model.oracle_value is not None:
        outputs = torch.cat([y, *(space.perturb(truth, rate) for rate in RATES)], dim=1)
        found["values"] = value.predicted_value(network(x, outputs, mask)).flatten()
        found["values_oracle"] = model.oracle_value.value(truth, outputs, mask).flatten()
    descent, existing = descent_of(model), space.existing_positions(mask)
    if descent is not None:
        scores = [
            step.score if existing is mask else network(x, step.y, mask)
            for step in descent.path(x, existing)
        ]
        found["path"] = torch.stack([score.amax(1) for score in scores])
    return found
