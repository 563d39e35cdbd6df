"""The base of samplers."""

from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from allennlp.common import Registrable

from ..logging import LoggingMixin
from ..losses import Loss
from ..networks import Borrower
from ..output_spaces import OutputSpace
from ..sampler_output import SamplerOutput


class NanScoreError(ValueError):
    """The scores that a sampler chooses by are NaN."""


class Sampler(Borrower, LoggingMixin, Registrable, ABC):
    """Proposes outputs y for inputs x.

    `forward` is written once, here: it encodes the labels, calls `sample` and, where labels were
    given and the sampler has a loss, computes that. A subclass fills `sample` alone.

    # Parameters

    output_space : `OutputSpace`
    loss : `Loss`, optional
        The loss of what the sampler learns; a child in the tree of logged values.
    log_key : `str`, optional
        The name in the tree of logged values.
    """

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

    @abstractmethod
    def sample(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        """The proposals. `truth`, the encoded labels `(batch, 1, *event_shape)`, is `None` where
        the sampler predicts; a sampler that cannot do without raises `ValueError`."""

    def check_scores(self, *scores: torch.Tensor) -> None:
        """Raise `NanScoreError` where a score is NaN: no comparison tells it from the others, so
        that any feasible output would be taken for the best."""
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
        """The proposals, with the sampler's own loss where labels are given and it has one."""
        if labels is None:
            return self.sample(x, None, mask)
        truth = self.output_space.encode(labels)
        sample = self.sample(x, truth, mask)
        if self.loss is None:
            return sample
        return sample._replace(loss=self.loss(x, truth, sample, mask))
