"""Checks of the parts of a model against each other."""

from typing import Dict

from allennlp.common.checks import ConfigurationError

from ..losses import Loss
from ..samplers import Sampler


def check_losses(sampler: Sampler, inference: Sampler, losses: Dict[str, Loss]) -> None:
    """Raise `ConfigurationError` for two losses of the task network, and for one that is not
    reduced."""
    if inference is not sampler and sampler.loss and inference.loss:
        raise ConfigurationError(
            "Expected one loss of the task network, got one in the sampler and one in the "
            "inference; leave out one of them."
        )
    for network, loss in losses.items():
        if loss.reduction == "none":
            raise ConfigurationError(
                f"Expected the loss of the {network} to be reduced by 'mean' or 'sum', got "
                "'none'; that serves only inside other components."
            )
