"""Buffers whose values come from the config, not from data."""

import functools
import logging
from typing import Any, Dict

import torch

logger = logging.getLogger(__name__)


def register_setting(module: torch.nn.Module, name: str, value: torch.Tensor) -> None:
    """Register a buffer whose value comes from the config.

    The buffer moves with the module and is saved with the weights, but `load_state_dict` keeps the
    config's value and logs a warning if the saved value differs. Use `register_buffer` for values
    that are fitted to data, which `load_state_dict` replaces.

    >>> saved, built = torch.nn.Module(), torch.nn.Module()
    >>> register_setting(saved, "threshold", torch.tensor(0.5))
    >>> register_setting(built, "threshold", torch.tensor(0.9))
    >>> built.load_state_dict(saved.state_dict())
    <All keys matched successfully>
    >>> built.threshold
    tensor(0.9000)
    """
    module.register_buffer(name, value)
    module.register_load_state_dict_pre_hook(functools.partial(_keep, name))


def _keep(
    name: str, module: torch.nn.Module, state_dict: Dict[str, Any], prefix: str, *rest: Any
) -> None:
    key, kept = prefix + name, getattr(module, name)
    saved = state_dict.get(key)
    if saved is not None and not torch.equal(saved.to(kept), kept):
        logger.warning(
            "The config sets '%s' to %s; the value saved with the weights, %s, is not used.",
            key,
            _readable(kept),
            _readable(saved),
        )
    state_dict[key] = kept  # torch passes a copy of the caller's dictionary


def _readable(value: torch.Tensor) -> str:
    return f"{value.item():.6g}" if value.numel() == 1 else str(value.tolist())
