"""Half precision, networks that are compiled, and numbers next to 0."""

import ctypes
from contextlib import contextmanager
from typing import Iterator

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


@contextmanager
def without_subnormals() -> Iterator[None]:
    """Inside, on a CPU, what is nearer to 0 than the least normal number (1.2e-38 in single
    precision) is 0.

    What a long training no longer changes, such as the running means of an optimiser, becomes ever
    smaller, and a processor takes many times as long for such numbers. It holds in this thread, in
    those that begin inside, and in those that torch shares its work with (OpenMP's).

    >>> with without_subnormals():
    ...     float(torch.tensor(2e-38) / 4)
    0.0
    """
    before = float(torch.tensor(2e-38) / 4) == 0
    _flush_subnormals(True)
    try:
        yield
    finally:
        _flush_subnormals(before)


def _flush_subnormals(on: bool) -> None:
    """torch's own sets this thread alone. The threads of OpenMP are ended, where its library can:
    the next ones begin with what holds in this one."""
    torch.set_flush_denormal(on)
    if torch.get_num_threads() > 1:
        openmp = ctypes.CDLL(torch._C.__file__)  # and what it is linked with
        if hasattr(openmp, "omp_pause_resource_all"):
            openmp.omp_pause_resource_all(2)  # omp_pause_hard
