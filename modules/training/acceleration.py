"""Half precision, compiled networks, and subnormal numbers."""

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
    """Return the half-precision type called `name`.

    # Raises

    `ConfigurationError` for an unknown name.
    """
    if name not in HALVES:
        raise ConfigurationError(
            f"Expected amp_dtype 'float16' or 'bfloat16' in the trainer 'minimax', got '{name}'."
        )
    return HALVES[name]


def compile_parts(model: StructuredEnergyModel) -> None:
    """Compile the computations of each network of the model.

    # Raises

    `ConfigurationError` for unrolled inference, since compiled code has no second derivative.
    """
    for name, part in model.named_modules():
        if isinstance(part, GradientBasedInferenceSampler) and part.unroll:
            raise ConfigurationError(
                "Expected compile_networks: false in the trainer 'minimax' with unrolled "
                f"inference, which '{name}' has, got true: torch.compile gives no second "
                "derivative."
            )
        if isinstance(part, Network):
            part.compile_parts()


@contextmanager
def without_subnormals() -> Iterator[None]:
    """Round subnormal numbers, which are below 1.2e-38 in single precision, to 0 on the CPU.

    In a long training values such as the running means of an optimiser decay to subnormal numbers,
    with which a processor computes many times slower. The setting holds in this thread, in threads
    that it starts, and in the OpenMP threads of torch.

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
    """Set whether subnormal numbers become 0, in this thread and in the threads of OpenMP.

    `torch.set_flush_denormal` sets only the calling thread. Ending OpenMP's threads, if its library
    supports that, lets their successors inherit the setting of this thread.
    """
    torch.set_flush_denormal(on)
    if torch.get_num_threads() > 1:
        openmp = ctypes.CDLL(
            torch._C.__file__
        )  # also finds symbols of the libraries it is linked with
        if hasattr(openmp, "omp_pause_resource_all"):
            openmp.omp_pause_resource_all(2)  # omp_pause_hard
