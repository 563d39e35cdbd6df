"""The base of evaluations that run at each validation."""

from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from typing import Any, ContextManager, Dict, Iterator, Mapping, Optional

import torch
from allennlp.common import Registrable

from ..logging import LoggingMixin
from ..metrics import StructuredMetric, values_of
from ..networks import Borrower
from ..output_spaces import OutputSpace
from ..workers import rank


class EvaluationModule(Borrower, LoggingMixin, Registrable, ABC):
    """An evaluation of the networks on data with labels, outside training only.

    `forward` is a template: it calls `evaluate` without gradients, and with random numbers of its
    own, so that predictions and training do not depend on it. The random numbers depend only on the
    number of batches since the last reset: each validation draws the same. A subclass fills
    only `evaluate`, and registers the values that it logs in its constructor.

    # Parameters

    output_space : `OutputSpace`
    log_key : `str`, optional
        The name in the tree of logged values.
    """

    def __init__(self, output_space: OutputSpace, log_key: Optional[str] = None) -> None:
        Borrower.__init__(self)
        LoggingMixin.__init__(self, log_key)
        self.output_space = output_space
        self._batches = 0

    @abstractmethod
    def evaluate(self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor]) -> None:
        """Log the values of a batch. `labels` are in the form that the reader yields, 0 where the
        mask is false."""

    @property
    def metrics(self) -> Mapping[str, StructuredMetric]:
        """The task metrics that the evaluation reports beside the values that it logs, by name."""
        return {}

    def fitting(self) -> ContextManager[None]:
        """Return the context of a whole validation, at whose end parameters are fitted."""
        return nullcontext()

    def forward(self, x: Any, labels: torch.Tensor, mask: Optional[torch.Tensor] = None) -> None:
        """Evaluate a batch; does nothing inside `no_logging`."""
        if self.is_logging:
            with torch.no_grad(), _seeded(self._batches, labels.device):
                self.evaluate(x, labels, mask)
            self._batches += 1

    def values(self, reset: bool) -> Dict[str, float]:
        """Return the values of the metrics; the expensive ones only with `reset`."""
        if reset:
            self._batches = 0
        return values_of(self.metrics, reset)


@contextmanager
def _seeded(batch: int, device: torch.device) -> Iterator[None]:
    """Draw other random numbers for each batch and worker inside the context, and restore the
    generators of torch at the end."""
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if on_cuda else []):
        seed = batch * 4096 + rank()
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
