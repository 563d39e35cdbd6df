"""Mixed precision, moving averages and W&B with current packages."""

import functools
import uuid
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, ContextManager, Dict, Union

import torch
from allennlp.training.callbacks import WandBCallback
from allennlp.training.moving_average import MovingAverage

_init_wandb = WandBCallback.__init__


def autocast(enabled: bool = True) -> ContextManager[Any]:
    """Return a context of mixed precision on a GPU."""
    return torch.amp.autocast("cuda") if enabled else nullcontext()


# The names of `torch.cuda.amp` that AllenNLP calls.
amp = SimpleNamespace(autocast=autocast, GradScaler=functools.partial(torch.amp.GradScaler, "cuda"))


def int_to_device(device: Union[int, torch.device]) -> torch.device:
    """Return the device of a number, which need not exist; -1 is the CPU."""
    if isinstance(device, torch.device):
        return device
    return torch.device("cpu") if device < 0 else torch.device("cuda", device)


def moving_average_state(self: MovingAverage) -> Dict[str, Any]:
    """Return the averages of a moving average, without the model's parameters."""
    return {"shadows": self._shadows, "backups": self._backups}


def load_moving_average_state(self: MovingAverage, state_dict: Dict[str, Any]) -> None:
    """Copy the averages of a checkpoint."""
    for restored, saved in (
        (self._shadows, state_dict["shadows"]),
        (self._backups, state_dict["backups"]),
    ):
        for name, value in saved.items():
            restored[name].copy_(value)


@functools.wraps(_init_wandb)
def init_wandb(self: WandBCallback, *args: Any, **settings: Any) -> None:
    """Construct the callback without the names that wandb no longer has."""
    _init_wandb(self, *args, **settings)
    self._wandb_kwargs.pop("anonymous", None)
    if self._run_id is None:
        self._run_id = uuid.uuid4().hex[:8]
