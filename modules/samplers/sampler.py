"""The base of samplers."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from ..logging import LoggingMixin
from ..losses import Loss
from ..networks import Borrower
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput


class NanScoreError(ValueError):
    """A sampler would have to choose by scores that are NaN."""


class Sampler(Borrower, LoggingMixin, Registrable, ABC):
    """Proposes outputs y for inputs x.

    A subclass fills only `propose`. `sample` checks its result, and `forward` encodes the labels
    first and, with labels, adds the sampler's own loss, if it has one.

    # Parameters

    output_space : `OutputSpace`
    loss : `Loss`, optional
        The loss that trains the sampler; a child in the tree of logged values.
    log_key : `str`, optional
        The name in the tree of logged values.
    """

    has_logits: Optional[bool] = None
    """Whether the proposals have logits; `None` where that is not known before."""

    def __init__(
        self,
        output_space: OutputSpace,
        loss: Optional[Loss] = None,
        log_key: Optional[str] = None,
    ) -> None:
        Borrower.__init__(self)
        LoggingMixin.__init__(self, log_key)
        self.output_space = output_space
        self.loss = loss
        if loss is not None:
            self.adopt(loss, "loss")

    def adopt_constituent(self, constituent: "Sampler", role: Optional[str] = None) -> None:
        """Adopt a sampler of which this one takes proposals only, as `adopt`.

        # Raises

        `ConfigurationError` where it has a loss, which nothing would compute.
        """
        if constituent.loss is not None:
            raise ConfigurationError(
                f"Expected no loss of the sampler '{role or constituent.log_key}' inside "
                f"{type(self).__name__}, which takes its proposals only, got "
                f"{type(constituent.loss).__name__}; give it to the 'sampler' or the 'inference' "
                "of the model."
            )
        self.adopt(constituent, role)

    @abstractmethod
    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        """Return the proposals.

        `truth`, the encoded labels `(batch, 1, *event_shape)`, is `None` in prediction. A sampler
        that requires it raises `ValueError`.
        """

    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        """Return the proposals, with the encoded labels or `None`.

        # Raises

        `ValueError` where the shapes of what `propose` returns do not fit the truth, the mask or
        each other.
        """
        sample = self.propose(x, truth, mask)
        self._check(sample, truth, mask)
        return sample

    def check_scores(self, *scores: torch.Tensor) -> None:
        """Raise `NanScoreError` if a score is NaN: every comparison with it is false, so that the
        selected output would be arbitrary."""
        if any(bool(score.isnan().any()) for score in scores):
            raise NanScoreError(
                f"Expected scores that are numbers in '{self.log_key}' ({type(self).__name__}), "
                "got NaN; check the weights and the inputs, which an earlier step made NaN or "
                "infinite."
            )

    def forward(
        self,
        x: Any,
        labels: Optional[torch.Tensor] = None,
        mask: Optional[torch.Tensor] = None,
    ) -> SamplerOutput:
        """Return the proposals, with the sampler's own loss if there are labels and it has one."""
        if labels is None:
            return self.sample(x, None, mask)
        truth = self.output_space.encode(labels)
        sample = self.sample(x, truth, mask)
        if self.loss is None:
            return sample
        return sample._replace(loss=self.loss(x, truth, sample, mask))

    def _check(
        self, sample: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor]
    ) -> None:
        """Raise `ValueError` if the shapes of a sample do not fit the truth, the mask or each
        other."""
        if not isinstance(sample, SamplerOutput):
            raise ValueError(
                f"Expected {type(self).__name__}.propose to return a SamplerOutput, got "
                f"{type(sample).__name__}."
            )
        y = sample.y
        batch = y.shape[0] if truth is None else truth.shape[0]
        event = y.shape[2:] if truth is None else truth.shape[2:]
        fits = y.dim() > 2 and y.shape[0] == batch and y.shape[2:] == event
        if mask is not None and fits:
            fits = y.shape[:1] + y.shape[2 : mask.dim() + 1] == mask.shape
        if not fits:
            shape = ", ".join(map(str, (batch, "any", *event)))
            expected = "" if truth is None else f" = ({shape})"
            under = "" if mask is None else f" under the mask {tuple(mask.shape)}"
            network = getattr(self, "task_network", None)
            of = "" if network is None else f", of the logits of {type(network).__name__}"
            raise ValueError(
                f"Expected {type(self).__name__}.propose to return y (batch, num_samples, "
                f"*event_shape){expected}{under}, got {tuple(y.shape)}{of}."
            )
        for name, part, shape_of_part in (
            ("logits", sample.logits, y.shape),
            ("log_prob", sample.log_prob, y.shape[:2]),
        ):
            if part is not None and part.shape != shape_of_part:
                raise ValueError(
                    f"Expected {type(self).__name__}.propose to return {name} "
                    f"{tuple(shape_of_part)} for y {tuple(y.shape)}, got {tuple(part.shape)}."
                )
