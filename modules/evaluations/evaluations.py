"""The evaluations of a model."""

from contextlib import ExitStack, contextmanager
from typing import Any, Dict, Iterator, Optional, Tuple, cast

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError

from ..logging import LoggingMixin
from ..metrics import StructuredMetric
from .evaluation_module import EvaluationModule


class Evaluations(torch.nn.Module, LoggingMixin):
    """The evaluations of a model by name, a node of the tree of logged values.

    # Parameters

    evaluations : `Dict[str, Lazy[EvaluationModule]]`
        Each is constructed with the shared objects of the model, and has its key as its name in the
        tree.
    shared : `Dict[str, Any]`
        The shared objects of the model.

    # Raises

    `ConfigurationError` for a name with a dot.
    """

    def __init__(
        self, evaluations: Dict[str, Lazy[EvaluationModule]], shared: Dict[str, Any]
    ) -> None:
        torch.nn.Module.__init__(self)
        LoggingMixin.__init__(self, "evaluations")
        # Under keys that are no attributes of a ModuleDict, whatever the name.
        self.by_name = torch.nn.ModuleDict()
        for name, lazy in evaluations.items():
            if "." in name:
                raise ConfigurationError(
                    f"Expected names without a dot in 'evaluations' of the model, got '{name}'."
                )
            part = lazy.construct(**shared)
            self.by_name[f"{name}_"] = part
            self.adopt(part, name)

    def forward(
        self, x: Any, labels: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> None:
        """Evaluate a batch; does nothing without labels."""
        for _, part in self._parts() if labels is not None else ():
            part(x, labels, mask)

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Fit the decoders of the evaluations to the batches inside the context."""
        with ExitStack() as stack:
            for _, part in self._parts():
                stack.enter_context(part.fitting())
            yield

    def values(self, reset: bool) -> Dict[str, float]:
        """Return the values of the metrics of all evaluations under their dotted names; the
        expensive ones only with `reset`. `get_all` returns those that are logged."""
        return {
            f"{path}.{name}": value
            for path, part in self._parts()
            for name, value in part.values(reset).items()
        }

    def metrics(self) -> Dict[str, StructuredMetric]:
        """Return the metrics of all evaluations by their dotted names."""
        return {
            f"{path}.{name}": metric
            for path, part in self._parts()
            for name, metric in part.metrics.items()
        }

    def _load_from_state_dict(self, state_dict: Dict[str, Any], prefix: str, *rest: Any) -> None:
        # An evaluation that the config no longer has may have saved a fitted decoder.
        for key in [key for key in state_dict if key.startswith(f"{prefix}by_name.")]:
            if key.removeprefix(f"{prefix}by_name.").partition(".")[0] not in self.by_name:
                del state_dict[key]  # of torch's copy
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def _parts(self) -> Iterator[Tuple[str, EvaluationModule]]:
        for part in self.by_name.values():
            evaluation = cast(EvaluationModule, part)
            yield f"{self.log_key}.{evaluation.log_key}", evaluation
