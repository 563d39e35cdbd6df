"""Half precision, and networks that are compiled."""

import torch
from allennlp.common.checks import ConfigurationError

from ..models import StructuredEnergyModel
from ..networks import Network
from ..samplers import GradientBasedInferenceSampler

HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def half(name: str) -> torch.dtype:
    """The half precision of a name.

    # Raises

    `ConfigurationError` for another name.
    """
    if name not in HALVES:
        raise ConfigurationError(
            f"Expected amp_dtype 'float16' or 'bfloat16' in the trainer 'minimax', got '{name}'."
        )
    return HALVES[name]


def compile_parts(model: StructuredEnergyModel) -> None:
    """Compiles what each network of the model computes.

    # Raises

    `ConfigurationError` where inference is unrolled: what is compiled has no second derivative.
    """
    for name, part in model.named_modules():
        if isinstance(part, GradientBasedInferenceSampler) and part.unroll:
            raise ConfigurationError(
                "Expected compile_networks: false in the trainer 'minimax' where inference is "
                f"unrolled, as that of '{name}' is: torch.compile gives no second derivative."
            )
        if isinstance(part, Network):
            part.compile_parts()
