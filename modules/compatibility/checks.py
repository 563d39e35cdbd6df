"""The check of a config before a run begins."""

import functools
from typing import Any, Dict

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from ..configs.faults import faults_of
from .nodes import train_model as _train_model


@functools.wraps(_train_model)
def train_model(params: Params, *arguments: Any, **settings: Any) -> Any:
    """Train, after every key, name and type of the config is checked against the constructors.

    # Raises

    `ConfigurationError` for a config with faults, which names all of them, before the folder of the
    run is created and data are read.
    """
    refuse_faults(params.as_dict(quiet=True))
    return _train_model(params, *arguments, **settings)


def refuse_faults(config: Dict[str, Any]) -> None:
    """Raise `ConfigurationError` with all faults of a config, if it has any."""
    faults = faults_of(config)
    if len(faults) == 1:
        raise ConfigurationError(faults[0].message)
    if faults:
        sentences = " ".join(f"({i}) {fault.message}" for i, fault in enumerate(faults, 1))
        raise ConfigurationError(f"The config has {len(faults)} faults: {sentences}")
