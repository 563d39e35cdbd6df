"""The model: two networks, their losses, and the head of the tree of logged values."""

from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from allennlp.training.metrics import Metric

from ..decoders import ArgmaxDecoder, Decoder, Evaluation
from ..encoded import Encoded
from ..evaluations import EvaluationModule, Evaluations
from ..logging import LoggingMixin
from ..losses import Loss
from ..networks import deterministic, frozen, hand_down, partition, share
from ..oracle_values import OracleValue
from ..output_spaces import OutputSpace
from ..samplers import Sampler, best_sample, scores_of
from ..score_networks import ScoreNetwork
from ..task_networks import TaskNetwork
from ..vocabulary import names
from .checks import check_losses
from .preparation import fit_to_data


@Model.register("structured-energy")
class StructuredEnergyModel(Model, LoggingMixin):
    """A score network and a task network, trained in turns.

    The score network learns from `loss` on the outputs of the `sampler`, the task network from the
    loss of the sampler, or of `inference`, which predicts. Shared objects (`score_network`,
    `task_network`, `output_space`, `oracle_value`) are built once, here, and handed down by name to
    every sampler and loss whose constructor asks for them. Predictions never depend on labels.

    # Parameters

    output_space : `OutputSpace`
        The set of outputs.
    sampler : `Lazy[Sampler]`
        Proposes outputs in training.
    task_network : `Lazy[TaskNetwork]`, optional
        x to the logits of y.
    score_network : `Lazy[ScoreNetwork]`, optional
        s(x, y).
    loss : `Lazy[Loss]`, optional
        The score network's loss.
    inference : `Lazy[Sampler]`, optional
        Makes predictions; by default the `sampler`.
    oracle_value : `Lazy[OracleValue]`, optional
        The quality of an output, for losses that use it.
    metrics : `List[Metric]`, optional
        The task metrics of the predictions.
    decoder : `Lazy[Decoder]`, optional
        Turns predictions into outputs, fitted at each validation; by default `argmax`.
    evaluations : `Dict[str, Lazy[EvaluationModule]]`, optional
        Further evaluations, by name, of each batch with labels outside training.
    training_metrics : `bool`
        Whether to predict in training too, for the task metrics on the training data; this costs an
        inference for each batch.
    standardize : `bool`
        Whether to standardise feature vectors: mean and variance are those of the training data,
        see `FeatureScaling`.
    initializer : `InitializerApplicator`, optional
        Initialises weights after all parts are built.
    """

    inference: Sampler

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        sampler: Lazy[Sampler],
        task_network: Optional[Lazy[TaskNetwork]] = None,
        score_network: Optional[Lazy[ScoreNetwork]] = None,
        loss: Optional[Lazy[Loss]] = None,
        inference: Optional[Lazy[Sampler]] = None,
        oracle_value: Optional[Lazy[OracleValue]] = None,
        metrics: Optional[List[Metric]] = None,
        decoder: Optional[Lazy[Decoder]] = None,
        evaluations: Optional[Dict[str, Lazy[EvaluationModule]]] = None,
        training_metrics: bool = False,
        standardize: bool = True,
        initializer: Optional[InitializerApplicator] = None,
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        Model.__init__(self, vocab, regularizer)
        LoggingMixin.__init__(self, "model")
        self.output_space = output_space
        shared: Dict[str, Any] = {"output_space": output_space}
        self.task_network = None if task_network is None else task_network.construct(**shared)
        if self.task_network is not None:
            shared["task_network"] = self.task_network
        self.oracle_value: Optional[OracleValue] = None
        if oracle_value is not None:
            self.oracle_value = oracle_value.construct(output_space=output_space)
            shared["oracle_value"] = self.oracle_value
        self.score_network = None if score_network is None else score_network.construct(**shared)
        if self.score_network is not None:
            shared["score_network"] = self.score_network
        for collaborator in shared.values():
            hand_down(collaborator)
        self.loss = None if loss is None else loss.construct(**shared)
        self.sampler = sampler.construct(**shared)
        if inference is None:
            share(self, "inference", self.sampler)
        else:
            self.inference = inference.construct(**shared)
        self.evaluations = Evaluations(evaluations or {}, {**shared, "metrics": metrics or []})
        parts = [(self.loss, "loss"), (self.sampler, "sampler"), (self.inference, "inference")]
        for child, role in [*parts, (self.evaluations if evaluations else None, "evaluations")]:
            if child not in (None, *self.logging_children):  # the inference may be the sampler
                self.adopt(child, role)
        self.logged_values()  # raises for a duplicate name or a cycle
        self.decoder: Decoder = (
            ArgmaxDecoder(output_space) if decoder is None else decoder.construct(**shared)
        )
        self.evaluation = Evaluation(metrics or [], self.decoder)
        self.training_metrics = training_metrics
        self.standardize = standardize
        self.arrays: Dict[str, Dict[str, Any]] = {}  # of the tree at its last reset, for plots
        self._active: Optional[str] = None
        check_losses(self.sampler, self.inference, self.losses)
        self.networks = partition(
            self, {network: self._parts(network) for network in ("score_network", "task_network")}
        )
        if initializer is not None:
            initializer(self)

    def prepare(self, data_loader: DataLoader) -> None:
        """Fit what depends on the training data, unless it is fitted; trainers call this first."""
        fit_to_data(self, self.vocab, self.output_space, data_loader, self.standardize)

    def _parts(self, network: str) -> List[torch.nn.Module]:
        parts = {
            "score_network": [self.score_network, self.loss],
            "task_network": [self.task_network, self.sampler, self.inference],
        }
        return [part for part in parts[network] if part is not None]

    @property
    def _task_sampler(self) -> Sampler:
        return self.sampler if self.inference.loss is None else self.inference

    @property
    def losses(self) -> Dict[str, Loss]:
        """The loss of each network that learns from one."""
        losses = {"score_network": self.loss, "task_network": self._task_sampler.loss}
        return {network: loss for network, loss in losses.items() if loss is not None}

    @contextmanager
    def optimizing(self, network: str) -> Iterator[None]:
        """Restrict the loss to this network and freeze the other one inside the context."""
        if network not in self.losses:
            raise ConfigurationError(
                f"Expected a network that has a loss, one of {sorted(self.losses)}, "
                f"got '{network}'."
            )
        others = [
            part for other in self.networks if other != network for part in self._parts(other)
        ]
        self._active = network
        try:
            with frozen(*others):
                yield
        finally:
            self._active = None

    def forward(
        self,
        x: Any,
        labels: Optional[torch.Tensor] = None,
        mask: Optional[torch.Tensor] = None,
    ) -> Dict[str, Any]:
        """Return the loss where labels are given, and the predictions outside training. The mask
        is false where a token is padding, or the label of a pixel unknown.

        # Returns

        `loss` : of the network inside `optimizing`, otherwise the sum over the networks, each with
        the gradient to its own network only. `prediction` : what the decoder takes, with its
        `probabilities`. `mask` : the positions that exist, outside training, where some do not.
        """
        if labels is not None:  # an unknown label or tag reaches no component
            labels, mask = self.output_space.known(labels, mask)
        # Predictions come first, so that their random numbers do not depend on labels.
        output: Dict[str, Any] = {}
        if self.training:
            if self.training_metrics or labels is None:
                with frozen(self), torch.no_grad():
                    output.update(self._predict(x, labels, mask))
            if labels is not None:
                output["loss"] = self._training_loss(x, labels, mask)
            return output
        x = Encoded.of(x, mask)
        with frozen(self):
            output.update(self._predict(x, labels, mask))
            existing = self.output_space.existing_positions(mask)
            output.update({} if existing is None else {"mask": existing})
            if labels is not None and self.losses:
                output["loss"] = self._evaluation_loss(x, labels, mask)
            self.evaluations(x, labels, mask)
        return output

    def _training_loss(
        self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        if self._active is None:
            total = torch.zeros(())
            for network in self.losses:
                with self.optimizing(network):
                    total = self._training_loss(x, labels, mask) + total
            return total
        x = Encoded.of(x, mask)
        if self._active == "task_network":
            loss = self._task_sampler(x, labels, mask).loss
            assert loss is not None
            return loss
        assert self.loss is not None
        truth = self.output_space.encode(labels)
        # The score network encodes x once for all samplers of a container.
        with deterministic(self.score_network):
            sample = self.sampler.sample(x, truth, mask)
        return self.loss(x, truth, sample, mask)

    def _evaluation_loss(
        self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor]
    ) -> torch.Tensor:
        """Return the sum of the losses, on the same samples."""
        sample = self.sampler(x, labels, mask)
        own = sample if self._task_sampler is self.sampler else self.inference(x, labels, mask)
        losses = [] if own.loss is None else [own.loss]
        if self.loss is not None:
            losses.append(self.loss(x, self.output_space.encode(labels), sample, mask))
        return torch.stack(losses).sum()

    def _predict(
        self, x: Any, labels: Optional[torch.Tensor], mask: Optional[torch.Tensor]
    ) -> Dict[str, Any]:
        """Return the prediction; only the metrics see the labels and the full mask."""
        existing = self.output_space.existing_positions(mask)
        x = Encoded.of(x, existing)
        with self.no_logging():
            y = self.inference.sample(x, None, existing).y
        if y.shape[1] > 1:
            y = best_sample(y, scores_of(y, x, self.score_network, existing))
        with self.no_logging(), torch.no_grad():
            prediction = self.decoder.predict(x, y[:, 0].detach(), existing)
        if labels is not None:
            self.evaluation(prediction, labels, mask)
        return {"prediction": prediction, "probabilities": prediction.probabilities}

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Fit the decoders to the predictions inside the context, and compute the metrics with them
        at its end. A decoder without parameters to fit does not change."""
        with self.evaluation.fitting(), self.evaluations.fitting():
            yield

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """Return the task metrics and the values of the tree, flat under their dotted names, as
        AllenNLP's trainer requires; `get_metrics` of any other node is nested.

        Metrics that are expensive to read are only there with `reset=True`, at the end of an epoch.
        """
        values = {**self.evaluation.values(reset), **self.evaluations.values(reset)}
        if reset and not self.training:
            fitted = self.decoder.fitted_values()
            values.update({f"decoder.{name}": value for name, value in fitted.items()})
        arrays: Dict[str, Any] = {}
        for name, value in self.get_all(reset).items():
            (values if isinstance(value, float) else arrays)[name] = value
        if reset:
            self.arrays["training" if self.training else "validation"] = arrays
        return values

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Add the readable `labels` of the output space, and cut padding off the probabilities."""
        readable: Dict[str, Any] = dict(output_dict)
        probabilities = output_dict["probabilities"].detach().cpu()
        mask = readable.pop("mask", None)
        if mask is not None:
            rows = zip(probabilities, mask := mask.cpu(), strict=True)
            readable["probabilities"] = [self.output_space.cut(*row).numpy() for row in rows]
        labels = self.decoder.decode(readable.pop("prediction")).cpu()
        readable.update(self.output_space.details(labels))
        readable["labels"] = self.output_space.readable(
            labels, probabilities, names(self.vocab, "labels"), mask
        )
        return readable

    default_predictor = "structured-energy"
